/* How builders agree among themselves who builds what, without a lock and without a hub.
 *
 * A model of docs/internals/claims.md for spin (https://spinroot.com). Nobody writes into another's document: a builder
 * posts what it does in its own, and reads those of the others. `model/check` runs all that is listed at the end of
 * this comment, and refuses a search that was cut short.
 *
 * What is in it
 *   N builders of one slot, J jobs, K (`wanted`) builders for each job, and a master that shows a queue and a digest.
 *   SEEN      The protocol as it is. The master reads one builder after another and shows who claims what; whoever has
 *             posted waits until it sees itself there, as it stands since that post, and counts whom it sees beside
 *             itself. It counts, too, whom it reads directly, but needs to read nobody. For safety a builder may post
 *             whatever it looked at, and take its claim away at any time.
 *             Without SEEN: peers alone. A builder looks at the others, posts its claim, checks the others and then the
 *             queue, and yields, waits or builds. That is safe only among those that can read each other.
 *   RESERVE   While it builds it reserves another job, which an idle builder may take from it.
 *   CRASHES   So many times a builder dies, at any point. It comes back without its claims and with its results, or
 *             never (at least K stay). The master declares the dead lost, or sees that a claim is gone, and opens the
 *             next attempt.
 *   CUTS      So many times a builder that lives is cut off from everybody for a while, and may be declared lost.
 *   LINKS     Every read of a peer may fail. With SEEN: each builder reads whom it likes, when it likes, or nobody; so
 *             rings of any size are in it, also such as differ from builder to builder.
 *   RESTARTS  So many times the master begins anew (SEEN): builds that it saw are in its journal, and nothing else of
 *             what builders said.
 *
 * What is checked
 *   safety    No attempt is built by more builders than are wanted. With SEEN that is of all builders, but for one that
 *             the master gave up for lost without having read it since it began; without SEEN of those where the one
 *             that posted later could read the other when it checked. Nobody builds what was built and settled. No
 *             document that is served shows a build that does not run (no phantom). No deadlock.
 *   live      On every run that is fair to every process, all jobs end built and all builders come to rest: nobody
 *             waits for ever, and no two dance around a job for ever.
 *
 * What is left out
 *   Time, but for the order of things; builders of several slots (they are several builders); reasons to prefer one
 *   job to another (any choice is allowed here); builds that fail (for claims they are lost builds).
 *
 * Mutations, each of which spin must refute, say that the properties can fail: NOCHECK, NOLOOK, NOWAIT, NOQUEUE,
 * NORECHECK, PHANTOM, NOLEASE; and with SEEN
 *   NOEPOCH   the master's word on an earlier posting of the same claim is believed;
 *   NOTWHOLE  what the master shows is used before it has read every builder since it began;
 *   LATERWORD a peer that no longer shows what the master shows of it is no rival any more;
 *   NOEXPIRY  what a builder that fell silent had claimed, and was not seen to build, is not a lost attempt.
 *
 * What is checked, exhaustively, with peers read in any order unless INORDER says that they are read in turn: see the
 * list in model/check, of which `--deep` runs all.
 */
#ifndef N
#define N 2
#endif
#ifndef J
#define J 1
#endif
#ifndef K
#define K 1
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef CUTS
#define CUTS 0
#endif
#ifndef RESTARTS
#define RESTARTS 0
#endif
#if CRASHES > 0 || CUTS > 0 || defined(LINKS) || defined(SEEN)
#define FAULTS
#endif
#define ATTEMPTS (1 + CRASHES + CUTS)
#define EVERYBODY ((1 << N) - 1)
#define EVERYTHING ((1 << J) - 1)
#define NOTHING J

/* The phases of a claim: the later beats the earlier. */
#define NONE 0
#define RESERVED 1
#define CLAIMED 2
#define BUILDING 3
#define DONE 4

/* What the builders serve. Sets of builders and of jobs are bits. */
byte phase[N * J];
byte at[N * J];                   /* the attempt that the phase is of */
byte up = EVERYBODY;
byte cut;

/* What the master serves. */
byte attempt[J];
byte need[J] = K;                 /* how many builders this attempt wants */
byte open = EVERYTHING;           /* offered: fewer build it than are wanted, as far as the master has seen */
byte closed;
byte seen[N * J];                 /* the digest */
byte seenat[N * J];
byte got[J];                      /* whose results were accepted */

/* What nobody in the farm can see: the truth that the properties speak of. */
byte works[N] = NOTHING;          /* the job that really is being built */
byte busy[J * ATTEMPTS];          /* who builds, or has built, this attempt */
byte missed[N * J];               /* whom it could not read when it checked, of those that had posted before it */
byte out;

#ifdef SEEN
byte fresh = EVERYBODY;           /* whose document the master has read as it stands: the revisions are the same */
byte heard = EVERYBODY;           /* whom it has read, or given up, since it began */
byte unheard;                     /* whom it gave up without having read it since it began */
byte restarts = RESTARTS;
#endif

byte crashes = CRASHES, cuts = CUTS, gone;
byte crashed;

#define BIT(i) (1 << (i))
#define HAS(set, i) ((set) & BIT(i))
#define CELL(i, j) ((i) * J + (j))
#define ALIVE(i) (HAS(up, i) && !HAS(cut, i))
#define REACHES(i, h) (ALIVE(h) && !HAS(cut, i))
/* The law: for each attempt a total order of builders that everybody works out alike. 0 is the best. */
#define RANK(i, j, a) (((i) + (j) + (a)) % N)
#define BETTER(h, i, j, a) (RANK(h, j, a) < RANK(i, j, a))
#define COUNT(set) (HAS(set, 0) + HAS(set, 1) / 2 + HAS(set, 2) / 4 + HAS(set, 3) / 8)

/* With SEEN a look is advice. Where every claim may be posted, whatever was looked at, safety owes it nothing. */
#if defined(SEEN) && !defined(LIVE)
#define BLINDLY
#endif

/* Reading begins: of whom, and what is looked for. */
inline start(phase_) {
#ifdef BLINDLY
  as = phase_
#else
  as = phase_; ahead = 0; behind = 0; blind = 0; todo = EVERYBODY & ~BIT(i);
#endif
}

/* One read of a peer's document, or of what the digest says of it. What is settled already needs no further reads. */
inline take(h) {
  todo = todo & ~BIT(h);
  if
  :: REACHES(i, h) ->
     assert(phase[CELL(h, j)] != BUILDING || works[h] == j); /* no phantom */
     said = (at[CELL(h, j)] == a -> phase[CELL(h, j)] : NONE)
#ifdef LINKS
  :: true ->
#else
  :: else ->
#endif
     blind = blind | BIT(h);
     said = (seenat[CELL(h, j)] == a -> seen[CELL(h, j)] : NONE)
  fi;
  if
  :: said > as || said == as && BETTER(h, i, j, a) ->
     ahead++;
     if :: ahead >= want -> todo = 0; behind = 0; blind = 0 :: else fi
  :: said == as && !BETTER(h, i, j, a) -> behind++
  :: else
  fi;
  said = 0
}
#ifdef INORDER
#define FIRST(h) (HAS(todo, h) && (todo & (BIT(h) - 1)) == 0)
#else
#define FIRST(h) HAS(todo, h)
#endif
/* Where every read may fail, a peer may as well be read at any time, or never. */
#if defined(BLINDLY) && defined(LINKS)
#define ASKED BIT(MASTER)
#define LISTEN(h) atomic { h != i -> hear(h) }
#else
#define ASKED (OTHERS | BIT(MASTER))
#define LISTEN(h) atomic { FIRST(h) -> hear(h) }
#endif
#if N == 2
#define LISTENING :: LISTEN(0) :: LISTEN(1)
#endif
#if N == 3
#define LISTENING :: LISTEN(0) :: LISTEN(1) :: LISTEN(2)
#endif
#if N == 2
#define READING :: atomic { FIRST(0) -> take(0) } :: atomic { FIRST(1) -> take(1) }
#endif
#if N == 3
#define READING :: atomic { FIRST(0) -> take(0) } :: atomic { FIRST(1) -> take(1) } :: atomic { FIRST(2) -> take(2) }
#endif
#if N == 4
#define READING :: atomic { FIRST(0) -> take(0) } :: atomic { FIRST(1) -> take(1) } \
                :: atomic { FIRST(2) -> take(2) } :: atomic { FIRST(3) -> take(3) }
#endif

inline post(phase_) {
  phase[CELL(i, j)] = phase_;
  at[CELL(i, j)] = (phase_ == NONE -> 0 : a)
#ifdef SEEN
  ; fresh = fresh & ~BIT(i)
#endif
}

#ifdef SEEN
/* What a builder that has posted knows of the others: read of them directly since then (`direct`), and shown by the
 * master (`shown`): who is ahead of it, and who behind. Of both what was said later counts. */
#ifdef LATERWORD
#define THOSEAHEAD (directahead | shownahead & ~direct)
#define THOSEBEHIND (directbehind | shownbehind & ~direct)
#else
#define THOSEAHEAD (directahead | shownahead)
#define THOSEBEHIND ((directbehind | shownbehind) & ~THOSEAHEAD)
#endif
#define AHEAD COUNT(THOSEAHEAD)
#define BEHIND COUNT(THOSEBEHIND)
#define MASTER N
#define OTHERS (EVERYBODY & ~BIT(i))

inline forget(h) {
  direct = direct & ~BIT(h); directahead = directahead & ~BIT(h); directbehind = directbehind & ~BIT(h)
}

/* A peer is read, or is not: it does not answer, or is none of those that this builder reads. */
inline hear(h) {
  todo = todo & ~BIT(h);
  if
  :: REACHES(i, h) ->
     assert(phase[CELL(h, j)] != BUILDING || works[h] == j); /* no phantom */
     said = (at[CELL(h, j)] == a -> phase[CELL(h, j)] : NONE);
     forget(h);
     direct = direct | BIT(h);
     if
     :: said > CLAIMED || said == CLAIMED && BETTER(h, i, j, a) -> directahead = directahead | BIT(h)
     :: said == CLAIMED && !BETTER(h, i, j, a) -> directbehind = directbehind | BIT(h)
     :: else
     fi
#ifdef LINKS
  :: true -> forget(h)
#else
  :: else -> forget(h)
#endif
  fi;
  said = 0
}

/* The master's document of the job is read. */
inline behold() {
  todo = todo & ~BIT(MASTER);
  shownahead = 0; shownbehind = 0; h = 0;
  do
  :: h < N ->
     said = (h != i && HAS(heard, h) && seenat[CELL(h, j)] == a -> seen[CELL(h, j)] : NONE);
     if
     :: said > CLAIMED || said == CLAIMED && BETTER(h, i, j, a) -> shownahead = shownahead | BIT(h)
     :: said == CLAIMED && !BETTER(h, i, j, a) -> shownbehind = shownbehind | BIT(h)
     :: else
     fi;
     /* What was read directly before may be the older or the newer. */
     if :: HAS(direct, h) -> forget(h) :: true fi;
     h++
  :: else -> h = 0; said = 0; break
  od
}

#ifdef NOEPOCH
#define MINE true
#define BELIEVED BIT(MASTER)
#define OBLIVION skip
#else
#define MINE HAS(fresh, i)
#define BELIEVED 0
#define OBLIVION shownahead = 0; shownbehind = 0; own = false
#endif
#ifdef NOTWHOLE
#define WHOLE true
#else
#define WHOLE (heard == EVERYBODY)
#endif
/* One document says what the job is and who was seen to claim it. */
#define OVER (attempt[j] != a || HAS(closed, j))
#define SHOWSME (!OVER && WHOLE && HAS(heard, i) && MINE && seenat[CELL(i, j)] == a && seen[CELL(i, j)] >= CLAIMED)

inline withdraw() {
  post(NONE); rest(); todo = 0; direct = 0; directahead = 0; directbehind = 0; OBLIVION
}
#endif

inline rest() { j = 0; a = 0; want = 0; as = 0; ahead = 0; behind = 0; blind = 0; before = 0 }

/* Who has posted before; of them the property speaks. */
inline note() {
#if defined(FAULTS) && !defined(SEEN)
  before = 0; g = 0;
  do
  :: g < N ->
     if
     :: g != i && phase[CELL(g, j)] >= CLAIMED && at[CELL(g, j)] == a -> before = before | BIT(g)
     :: else
     fi;
     g++
  :: else -> g = 0; break
  od
#else
  skip
#endif
}

/* The build begins, and no set of builders larger than wanted that could see each other has this attempt. */
#ifdef SEEN
#define APART(g, h) (HAS(unheard, g) || HAS(unheard, h))
#else
#define APART(g, h) (HAS(missed[CELL(g, j)], h) || HAS(missed[CELL(h, j)], g))
#endif
#define WITH(g) (HAS(busy[j * ATTEMPTS + a], g) && !APART(g, i))
inline build() {
  post(BUILDING);
  works[i] = j;
#ifndef SEEN
  missed[CELL(i, j)] = blind & before;
#endif
  blind = 0; before = 0; as = 0; g = 0;
  do
  :: g < N ->
     if
     :: g != i && WITH(g) ->
        assert(want > 1);
        h = 0;
        do
        :: h < g -> assert(h == i || !WITH(h) || APART(g, h)); h++
        :: else -> h = 0; break
        od
     :: else
     fi;
     g++
  :: else -> g = 0; break
  od;
  busy[j * ATTEMPTS + a] = busy[j * ATTEMPTS + a] | BIT(i)
}

#define OFFERS(x) (x < J && HAS(open, x) && !HAS(cut, i) && phase[CELL(i, x)] == NONE)
inline choose(x) { j = x; a = attempt[x]; want = need[x] }
#define SETTLED(x) (x < J && HAS(closed, x) && phase[CELL(i, x)] == DONE)
#ifdef NOQUEUE
#define HEARD true
#define OFFERED true
#else
#define HEARD (!HAS(cut, i))
#define OFFERED (HAS(open, j) && attempt[j] == a)
#endif

proctype builder(byte i) {
  byte j, a, want;                              /* the job in hand, its attempt, how many builders it wants */
  byte kept = NOTHING, keptat;                  /* the job reserved */
  byte main = NOTHING, mainat;                  /* the job being built while another is looked for */
  byte todo, as, said, ahead, behind, blind;    /* reading */
  byte before, g, h;
#ifdef SEEN
  byte direct, directahead, directbehind, shownahead, shownbehind;
  bool own;                                     /* whether what the master shows has this claim in it */
#endif
alive:
  {
    skip;
top:
    if
    :: atomic { OFFERS(0) -> choose(0); start(CLAIMED) }
    :: atomic { OFFERS(1) -> choose(1); start(CLAIMED) }
    /* A result that is settled is forgotten. */
    :: atomic { SETTLED(0) -> j = 0; post(NONE); rest(); goto top }
    :: atomic { SETTLED(1) -> j = 1; post(NONE); rest(); goto top }
    :: closed == EVERYTHING && cut == 0 -> goto leave
    fi;

look:
#if defined(NOLOOK) || defined(BLINDLY)
    todo = 0;
#endif
    do
    READING
    :: atomic { todo == 0 && ahead >= want -> post(NONE); rest(); goto top }
    :: atomic { todo == 0 && ahead < want -> note(); post(CLAIMED); start(CLAIMED); break }
    od;

check:
#ifdef SEEN
    atomic { todo = ASKED & ~(own -> BELIEVED : 0); OBLIVION };
    do
    LISTENING
    :: atomic { HAS(todo, MASTER) && !HAS(cut, i) && SHOWSME -> behold(); own = true }
    :: atomic { !HAS(cut, i) && OVER -> withdraw(); goto top }
#ifndef LIVE
    :: atomic { true -> withdraw(); goto top } /* it has waited for too long */
#endif
    :: atomic { todo == 0 && AHEAD >= want -> withdraw(); goto top }
    :: atomic { todo == 0 && AHEAD < want && AHEAD + BEHIND >= want ->
#ifdef LIVE
         todo = ASKED
#else
         if :: todo = ASKED :: todo = ASKED & ~BIT(MASTER) fi /* the master may be slower than the peers */
#endif
       }
    :: atomic { todo == 0 && AHEAD + BEHIND < want -> break }
    od;
    atomic { direct = 0; directahead = 0; directbehind = 0; shownahead = 0; shownbehind = 0; own = false; build() };
#else
#ifdef NOCHECK
    todo = 0;
#endif
    do
    READING
    /* The queue comes last: who built it and was settled shows nothing any more, but then the queue says so. */
    :: atomic { todo == 0 && HEARD && (ahead >= want || !OFFERED) -> post(NONE); rest(); goto top }
    :: atomic { todo == 0 && HEARD && OFFERED && ahead < want ->
         if
#ifndef NOWAIT
         :: ahead + behind >= want -> start(CLAIMED) /* the worse will see this claim and yield */
#endif
         :: else -> ahead = 0; behind = 0; break
         fi
       }
    od;
    atomic { build() };
#endif

#ifdef RESERVE
    if
    :: atomic { OFFERS(0) -> main = j; mainat = a; choose(0); start(RESERVED) }
    :: atomic { OFFERS(1) -> main = j; mainat = a; choose(1); start(RESERVED) }
    :: goto built
    fi;
    do
    READING
    :: atomic { todo == 0 && ahead >= want -> goto built }
    :: atomic { todo == 0 && ahead < want -> post(RESERVED); kept = j; keptat = a; break }
    od;
    /* Only the queue tells it that the job went to another: it checks when it claims. */
    if
    :: atomic { HEARD && !OFFERED -> post(NONE); kept = NOTHING; keptat = 0 }
    :: true
    fi;
built:
    atomic {
      if :: main != NOTHING -> j = main; a = mainat :: else fi;
      post(DONE); works[i] = NOTHING;
      main = NOTHING; mainat = 0; rest()
    }
    if
    :: kept == NOTHING -> goto top
    :: atomic { kept != NOTHING -> j = kept; a = keptat; want = need[j]; kept = NOTHING; keptat = 0; start(CLAIMED);
#ifdef NORECHECK
         main = j; mainat = a
       };
       atomic { build() };
       goto built
#else
         note(); post(CLAIMED); goto check
       }
#endif
    fi
#else
    atomic { post(DONE); works[i] = NOTHING; rest() };
    goto top
#endif
  } unless { atomic { HAS(crashed, i) ->
    crashed = crashed & ~BIT(i);
    kept = NOTHING; keptat = 0; main = NOTHING; mainat = 0;
    todo = 0; said = 0; g = 0; h = 0; rest()
#ifdef SEEN
    ; direct = 0; directahead = 0; directbehind = 0; shownahead = 0; shownbehind = 0; own = false
#endif
#ifdef PHANTOM
    ; up = up | BIT(i)
#endif
  } };
  /* What it remembers is its journal: the results, and claims that it drops before it serves anything. */
  atomic {
    do
    :: j < J -> if :: phase[CELL(i, j)] != DONE -> post(NONE) :: else fi; j++
    :: else -> j = 0; break
    od
  };
  if
  :: atomic { true -> up = up | BIT(i) }; goto alive
  :: atomic { N - gone > K -> gone++ }
  fi;
leave:
  out++
}

/* Those that build an earlier attempt and are not lost will do; the others are wanted again. */
#ifdef SEEN
#define STILL(h, j_) false /* the master follows builds of the current attempt only */
#else
#define STILL(h, j_) (seen[CELL(h, j_)] == BUILDING)
#endif
inline renew(j_) {
  attempt[j_]++;
  x = 0;
  h = 0;
  do
  :: h < N -> if :: STILL(h, j_) || HAS(got[j_], h) -> x++ :: else fi; h++
  :: else -> break
  od;
  need[j_] = (x < K -> K - x : 0)
}

inline offer(j_) {
  x = 0;
  h = 0;
  do
  :: h < N -> if :: seenat[CELL(h, j_)] == attempt[j_] && seen[CELL(h, j_)] >= BUILDING -> x++ :: else fi; h++
  :: else -> break
  od;
  if
  :: COUNT(got[j_]) >= K -> closed = closed | BIT(j_); open = open & ~BIT(j_)
  :: COUNT(got[j_]) < K && x < need[j_] -> open = open | BIT(j_)
  :: else -> open = open & ~BIT(j_)
  fi;
  x = 0; h = 0
}

/* Where every read succeeds nobody asks the digest what is claimed, and the queue depends on builds only. */
#ifdef FAULTS
#define TOLD NONE
#else
#define TOLD CLAIMED
#endif
#define NEWS1(h, j) ((phase[CELL(h, j)] > TOLD || seen[CELL(h, j)] > TOLD) && DIFFERS(h, j))
#define DIFFERS(h, j) (phase[CELL(h, j)] != seen[CELL(h, j)] || at[CELL(h, j)] != seenat[CELL(h, j)])
#ifdef SEEN
#define UNREAD(h) (!HAS(heard, h))
#define NEWS(h) (ALIVE(h) && (!HAS(fresh, h) || UNREAD(h)))
#if J > 1
#define SHOWN(h) (seen[CELL(h, 0)] || seen[CELL(h, 1)])
#else
#define SHOWN(h) (seen[CELL(h, 0)])
#endif
#elif J > 1
#define NEWS(h) (ALIVE(h) && (NEWS1(h, 0) || NEWS1(h, 1)))
#define SHOWN(h) (seen[CELL(h, 0)] || seen[CELL(h, 1)])
#else
#define NEWS(h) (ALIVE(h) && NEWS1(h, 0))
#define SHOWN(h) (seen[CELL(h, 0)])
#endif

/* What of a builder the master takes for a lost attempt when it says so no more. One that is silent may have begun
 * what it was seen to claim, unless others were seen to build that. */
#if defined(SEEN) && !defined(NOEXPIRY)
#define WORKED(b) (w == BUILDING || w == CLAIMED && !ALIVE(b) && HAS(open, j))
#else
#define WORKED(b) (w == BUILDING)
#endif

inline learn(b) {
#ifdef SEEN
  if :: ALIVE(b) -> fresh = fresh | BIT(b)
     :: else -> fresh = fresh & ~BIT(b); if :: UNREAD(b) -> unheard = unheard | BIT(b) :: else fi
  fi;
  heard = heard | BIT(b);
#endif
  j = 0;
  do
  :: j < J ->
     w = seen[CELL(b, j)]; wa = seenat[CELL(b, j)];
     seen[CELL(b, j)] = (ALIVE(b) -> phase[CELL(b, j)] : NONE);
     seenat[CELL(b, j)] = (ALIVE(b) -> at[CELL(b, j)] : 0);
     if :: seen[CELL(b, j)] == DONE -> got[j] = got[j] | BIT(b) :: else fi;
     if
     :: WORKED(b) && wa == attempt[j] && !HAS(closed, j) &&
        !(seen[CELL(b, j)] >= BUILDING && seenat[CELL(b, j)] == wa) ->
        renew(j)
     :: else
     fi;
     offer(j);
     j++
  :: else -> break
  od;
  j = 0; w = 0; wa = 0
}

#ifdef NOLEASE
#define LOST(h) false
#else
#ifdef SEEN
#define LOST(h) (!ALIVE(h) && (SHOWN(h) || UNREAD(h)))
#else
#define LOST(h) (!ALIVE(h) && SHOWN(h))
#endif
#endif

#define CHANGED(h) (NEWS(h) || LOST(h))

proctype master() {
  byte j, h, x, w, wa;
#ifdef LIVE
  byte next; /* It reads them in turn: one whose document changes all the time does not keep it from the others. */
#endif
  do
#ifdef LIVE
  :: d_step {
       CHANGED(0) || CHANGED(1) || N > 2 && CHANGED(N - 1) || N > 3 && CHANGED(2) ->
       do
       :: CHANGED(next) -> learn(next); next = (next + 1) % N; break
       :: else -> next = (next + 1) % N
       od
     }
#else
  :: d_step { CHANGED(0) -> learn(0) }
  :: d_step { CHANGED(1) -> learn(1) }
#if N > 2
  :: d_step { CHANGED(2) -> learn(2) }
#endif
#if N > 3
  :: d_step { CHANGED(3) -> learn(3) }
#endif
#endif
  :: closed == EVERYTHING -> break
  od
}

inline kill(b) {
  crashes--;
  up = up & ~BIT(b);
  crashed = crashed | BIT(b);
  if :: works[b] != NOTHING ->
        busy[works[b] * ATTEMPTS + at[CELL(b, works[b])]] = busy[works[b] * ATTEMPTS + at[CELL(b, works[b])]] & ~BIT(b);
        works[b] = NOTHING
     :: else fi
}
#define MORTAL(b) (crashes > 0 && HAS(up, b))
#define CUTTABLE(b) (cuts > 0 && HAS(up, b) && closed != EVERYTHING)

/* The master begins anew: builds that it saw are in its journal, and nothing else of what it saw. */
inline restart() {
  restarts--; heard = 0; b = 0;
  do
  :: b < N * J -> if :: seen[b] != BUILDING -> seen[b] = NONE; seenat[b] = 0 :: else fi; b++
  :: else -> break
  od;
  b = 0
}

#if CRASHES > 0 || CUTS > 0 || RESTARTS > 0
proctype fate() {
#if RESTARTS > 0
  byte b;
#endif
end:
  do
#if CRASHES > 0
  :: d_step { MORTAL(0) -> kill(0) }
  :: d_step { MORTAL(1) -> kill(1) }
#if N > 2
  :: d_step { MORTAL(2) -> kill(2) }
#endif
#endif
#if CUTS > 0
  :: d_step { CUTTABLE(0) -> cuts--; cut = BIT(0) }; cut = 0
  :: d_step { CUTTABLE(1) -> cuts--; cut = BIT(1) }; cut = 0
#if N > 2
  :: d_step { CUTTABLE(2) -> cuts--; cut = BIT(2) }; cut = 0
#endif
#endif
#if RESTARTS > 0
  :: d_step { restarts > 0 && closed != EVERYTHING -> restart() }
#endif
  od
}
#endif

init {
  atomic {
    byte b = 0;
    do :: b < N -> run builder(b); b++ :: else -> break od;
    run master();
#if CRASHES > 0 || CUTS > 0 || RESTARTS > 0
    run fate();
#endif
    b = 0
  }
}

#ifdef LIVE
ltl live { <> (out == N) }
#endif
