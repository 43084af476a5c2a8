/* How builders agree among themselves who builds what, without a lock and without a hub.
 *
 * A model of docs/internals/claims.md for spin (https://spinroot.com). Nobody writes into another's document: a builder
 * posts what it does in its own, and reads those of the others. `model/check` runs all that is listed at the end of
 * this comment, and refuses a search that was cut short.
 *
 * What is in it
 *   N builders of one slot, J jobs, K (`wanted`) builders for each job, and a master that shows a queue and a digest.
 *   A builder looks at the others, posts its claim, checks the others and then the queue, and yields, waits or builds.
 *   RESERVE   While it builds it reserves another job, which an idle builder may take from it.
 *   CRASHES   So many times a builder dies, at any point. It comes back without its claims and with its results, or
 *             never (at least K stay). The master declares the dead lost, or sees that a claim is gone, and opens the
 *             next attempt.
 *   CUTS      So many times a builder that lives is cut off from everybody for a while, and may be declared lost.
 *   LINKS     Every read of a peer may fail; the reader takes what the master's digest, however old, says instead.
 *   RING      Only builders of the better ranks may claim, the more of them the older the job is, and they read only
 *             each other. They differ by one step in how old they think it is, and so read one ring further.
 *
 * What is checked
 *   safety    No attempt is built by more builders than are wanted, where of two builders the one that posted later
 *             could read the other when it checked. Nobody builds what was built and settled. No document that is
 *             served shows a build that does not run (no phantom). No deadlock.
 *   live      On every run that is fair to every process, all jobs end built and all builders come to rest: nobody
 *             waits for ever, and no two dance around a job for ever.
 *
 * What is left out
 *   Time, but for the order of things; builders of several slots (they are several builders); reasons to prefer one
 *   job to another (any choice is allowed here); builds that fail (for claims they are lost builds).
 *
 * Mutations, each of which spin must refute, say that the properties can fail: NOCHECK, NOLOOK, NOWAIT, NOQUEUE,
 * NORECHECK, PHANTOM, NARROW, NOLEASE.
 *
 * What was checked, exhaustively, with the peers read in any order unless INORDER says that they are read in turn.
 * By `model/check`, and so in CI, where nothing else is said with J=1 and K=1:
 *   safety    N=3; N=3 K=2; N=3 RING; N=3 CUTS=1 INORDER; N=2 CRASHES=2; N=2 CRASHES=1 CUTS=1 LINKS;
 *             N=2 J=2 RESERVE CRASHES=1; N=2 J=2 RESERVE LINKS
 *   live      N=3; N=3 K=2; N=2 CRASHES=1; N=2 CUTS=1; N=2 CRASHES=1 LINKS; N=2 J=2 RESERVE
 * By `model/check --deep` also
 *   safety    N=4; N=4 K=2; N=3 J=2 RESERVE; N=3 LINKS; N=3 CRASHES=1; N=3 CUTS=1; N=3 K=2 CRASHES=1;
 *             N=2 J=2 RESERVE CRASHES=1 LINKS
 *   live      N=3 RING; N=2 CRASHES=2; N=2 CRASHES=1 CUTS=1 LINKS; N=2 J=2 RESERVE CRASHES=1; N=3 J=2 RESERVE
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
#if CRASHES > 0 || CUTS > 0 || defined(LINKS)
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

byte crashes = CRASHES, cuts = CUTS, gone;
byte crashed;
#ifdef RING
#define OLD 2
byte age;
#endif

#define BIT(i) (1 << (i))
#define HAS(set, i) ((set) & BIT(i))
#define CELL(i, j) ((i) * J + (j))
#define ALIVE(i) (HAS(up, i) && !HAS(cut, i))
#define REACHES(i, h) (ALIVE(h) && !HAS(cut, i))
/* The law: for each attempt a total order of builders that everybody works out alike. 0 is the best. */
#define RANK(i, j, a) (((i) + (j) + (a)) % N)
#define BETTER(h, i, j, a) (RANK(h, j, a) < RANK(i, j, a))
#define COUNT(set) (HAS(set, 0) + HAS(set, 1) / 2 + HAS(set, 2) / 4 + HAS(set, 3) / 8)

#ifdef NARROW
#define WIDER 0
#else
#define WIDER 1
#endif

/* Reading begins: of whom, and what is looked for. */
inline start(phase_) {
  as = phase_; ahead = 0; behind = 0; blind = 0; todo = EVERYBODY & ~BIT(i);
#ifdef RING
  if :: view = age :: age > 0 && age < OLD -> view = age - 1 fi;
  g = 0;
  do
  :: g < N -> if :: RANK(g, j, a) >= BIT(view + WIDER) -> todo = todo & ~BIT(g) :: else fi; g++
  :: else -> g = 0; break
  od
#endif
}
#ifdef RING
#define ADMITTED (RANK(i, j, a) < BIT(view))
#else
#define ADMITTED true
#endif

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
}

inline rest() { j = 0; a = 0; want = 0; as = 0; ahead = 0; behind = 0; blind = 0; before = 0 }

/* Who has posted before; of them the property speaks. */
inline note() {
#ifdef FAULTS
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
#define APART(g, h) (HAS(missed[CELL(g, j)], h) || HAS(missed[CELL(h, j)], g))
#define WITH(g) (HAS(busy[j * ATTEMPTS + a], g) && !APART(g, i))
inline build() {
  post(BUILDING);
  works[i] = j;
  missed[CELL(i, j)] = blind & before;
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
  bool again;
#ifdef RING
  byte view;
#endif
alive:
  {
    skip;
top:
    if
    :: atomic { OFFERS(0) -> choose(0); start(CLAIMED) }
    :: atomic { OFFERS(1) -> choose(1); start(CLAIMED) }
    /* A result that is settled is forgotten. */
    :: atomic { SETTLED(0) -> phase[CELL(i, 0)] = NONE; at[CELL(i, 0)] = 0; goto top }
    :: atomic { SETTLED(1) -> phase[CELL(i, 1)] = NONE; at[CELL(i, 1)] = 0; goto top }
    :: closed == EVERYTHING && cut == 0 -> goto leave
    fi;

look:
#ifdef NOLOOK
    todo = 0;
#endif
    do
    READING
    :: atomic { todo == 0 && (ahead >= want || !ADMITTED) -> post(NONE); rest(); goto top }
    :: atomic { todo == 0 && !(ahead >= want || !ADMITTED) -> note(); post(CLAIMED); start(CLAIMED); break }
    od;

check:
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

#ifdef RESERVE
    if
    :: atomic { OFFERS(0) -> main = j; mainat = a; choose(0); start(RESERVED) }
    :: atomic { OFFERS(1) -> main = j; mainat = a; choose(1); start(RESERVED) }
    :: goto built
    fi;
    do
    READING
    :: atomic { todo == 0 && ahead >= want -> goto built }
    :: atomic { todo == 0 && ahead < want -> post(RESERVED); kept = j; keptat = a; start(RESERVED); break }
    od;
    /* It checks at once, and now and then: once more is enough here, for it looks again before it claims. */
    again = true;
    do
    READING
    :: atomic { todo == 0 && HEARD && (ahead >= want || !OFFERED) -> post(NONE); kept = NOTHING; keptat = 0; break }
    :: atomic { todo == 0 && HEARD && OFFERED && ahead < want -> break }
    :: atomic { todo == 0 && HEARD && OFFERED && ahead < want && again -> again = false; start(RESERVED) }
    od;
built:
    atomic {
      if :: main != NOTHING -> j = main; a = mainat :: else fi;
      post(DONE); works[i] = NOTHING;
      main = NOTHING; mainat = 0; again = false; rest()
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
         goto look
       }
#endif
    fi
#else
    atomic { post(DONE); works[i] = NOTHING; rest() };
    goto top
#endif
  } unless { atomic { HAS(crashed, i) ->
    crashed = crashed & ~BIT(i);
    kept = NOTHING; keptat = 0; main = NOTHING; mainat = 0; again = false;
    todo = 0; said = 0; g = 0; h = 0; rest()
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

inline renew(j_) {
  /* Those that build an earlier attempt and are not lost will do; the others are wanted again. */
  attempt[j_]++;
  x = 0;
  h = 0;
  do
  :: h < N -> if :: seen[CELL(h, j_)] == BUILDING || HAS(got[j_], h) -> x++ :: else fi; h++
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
#if J > 1
#define NEWS(h) (ALIVE(h) && (NEWS1(h, 0) || NEWS1(h, 1)))
#define SEEN(h) (seen[CELL(h, 0)] || seen[CELL(h, 1)])
#else
#define NEWS(h) (ALIVE(h) && NEWS1(h, 0))
#define SEEN(h) (seen[CELL(h, 0)])
#endif

inline learn(b) {
  j = 0;
  do
  :: j < J ->
     w = seen[CELL(b, j)]; wa = seenat[CELL(b, j)];
     seen[CELL(b, j)] = (ALIVE(b) -> phase[CELL(b, j)] : NONE);
     seenat[CELL(b, j)] = (ALIVE(b) -> at[CELL(b, j)] : 0);
     if :: seen[CELL(b, j)] == DONE -> got[j] = got[j] | BIT(b) :: else fi;
     if
     :: w == BUILDING && wa == attempt[j] && !HAS(closed, j) &&
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
#define LOST(h) (!ALIVE(h) && SEEN(h))
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

#if CRASHES > 0 || CUTS > 0 || defined(RING)
proctype fate() {
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
#ifdef RING
  :: age < OLD -> age++
#endif
  od
}
#endif

init {
  atomic {
    byte b = 0;
    do :: b < N -> run builder(b); b++ :: else -> break od;
    run master();
#if CRASHES > 0 || CUTS > 0 || defined(RING)
    run fate();
#endif
    b = 0
  }
}

#ifdef LIVE
ltl live { <> (out == N) }
#endif
