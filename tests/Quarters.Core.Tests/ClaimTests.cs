using Quarters.Core.Builder;
using Quarters.Core.Claims;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Tests;

public class ClaimTests
{
    private readonly ClaimFarm _farm = new("anna", "boris");

    [Fact]
    public void A_claim_is_posted_and_built_when_the_master_has_shown_it()
    {
        var farm = new ClaimFarm("anna");
        var job = farm.Offer("zlib");
        farm["anna"].Settle();
        Assert.Equal([("zlib", ClaimPhase.Claimed)], farm["anna"].Claims);

        farm["anna"].ReadJob(job);
        farm["anna"].Settle();
        Assert.Equal([("zlib", ClaimPhase.Claimed)], farm["anna"].Claims);

        farm.See("anna");
        farm["anna"].ReadJob(job);
        farm["anna"].Settle();
        Assert.Equal([("zlib", ClaimPhase.Building)], farm["anna"].Claims);
    }

    [Fact]
    public void A_builder_that_is_not_listed_takes_nothing()
    {
        _farm.Offer("zlib");
        var stranger = _farm["anna"];
        stranger.Terms = stranger.Terms with { PublicKey = "sha256:stranger" };
        stranger.Settle();
        Assert.Empty(stranger.Claims);
    }

    [Fact]
    public void Only_the_first_of_the_free_builders_claims_a_new_job_and_the_ring_opens_with_time()
    {
        var job = _farm.Offer("zlib");
        var order = _farm.Roster.OrderFor(job.Id + ".1").ToArray();
        var (first, second) = (_farm.Roster.Builders[order[0]].Name, _farm.Roster.Builders[order[1]].Name);
        _farm[second].Settle();
        Assert.Empty(_farm[second].Claims);
        _farm[first].ReadMaster();

        // The first is not heard of.
        _farm.Pass(_farm.Pace.RingPeriod);
        _farm[second].Settle();
        Assert.Single(_farm[second].Claims);
    }

    [Fact]
    public void Of_two_that_claimed_the_worse_yields_and_the_better_waits_for_it()
    {
        var job = _farm.Offer("zlib");
        var (better, worse) = _farm.Ranked(job, "anna", "boris");
        _farm.Pass(TimeSpan.FromMinutes(5));
        Post(better);
        Post(worse);
        _farm.See("anna");
        _farm.See("boris");
        _farm[better].ReadJob(job);
        _farm[better].Settle();
        Assert.Equal([("zlib", ClaimPhase.Claimed)], _farm[better].Claims);

        _farm[worse].ReadJob(job);
        _farm[worse].Settle();
        Assert.Empty(_farm[worse].Claims);

        _farm.Pass(TimeSpan.FromSeconds(2));
        _farm[better].ReadJob(job);
        _farm[better].Settle();
        Assert.Equal([("zlib", ClaimPhase.Building)], _farm[better].Claims);

        void Post(string name)
        {
            // Both have looked before either posted.
            _farm[name].ReadMaster();
            Assert.Empty(_farm[name].Step().Record);
            _looked.Add(name);
            if (_looked.Count < 2) return;
            foreach (var one in _looked) PostNow(one);
        }

        void PostNow(string name)
        {
            _farm[name].Answer(_farm.Others(name), nothing: true);
            Assert.IsType<Claimed>(Assert.Single(_farm[name].Step().Record));
        }
    }

    private readonly List<string> _looked = [];

    [Fact]
    public void What_another_builds_is_left_alone()
    {
        var job = _farm.Offer("zlib");
        _farm.Pass(TimeSpan.FromMinutes(5));
        _farm.SettleSeen("anna", job);
        Assert.Equal([("zlib", ClaimPhase.Building)], _farm["anna"].Claims);
        _farm["boris"].Settle();
        Assert.Empty(_farm["boris"].Claims);
    }

    [Fact]
    public void A_builder_that_is_out_of_reach_is_asked_once_and_then_left_alone_for_a_while()
    {
        _farm.Offer("zlib");
        _farm.Pass(TimeSpan.FromMinutes(5));
        _farm["boris"].IsOutOfReach = true;
        var anna = _farm["anna"];
        anna.Terms = anna.Terms with { Slots = 3 };
        var boris = ClaimFarm.KeyOf("boris");

        anna.ReadMaster();
        Assert.Contains(boris, anna.Step().ReadPeers.Keys);
        anna.Settle();
        Assert.Equal([("zlib", ClaimPhase.Claimed)], anna.Claims);

        // Neither the check of that claim nor the look at the next job asks again.
        _farm.Offer("jq");
        _farm.Pass(_farm.Pace.RingPeriod);
        anna.ReadMaster();
        Assert.DoesNotContain(boris, anna.Step().ReadPeers.Keys);
        Assert.Equal([("zlib", ClaimPhase.Claimed), ("jq", ClaimPhase.Claimed)], anna.Claims);

        _farm.Offer("hello");
        _farm.Pass(_farm.Pace.OutOfReachFor);
        anna.ReadMaster();
        Assert.Contains(boris, anna.Step().ReadPeers.Keys);
    }

    [Fact]
    public void A_claimed_job_that_waits_for_something_again_is_given_up()
    {
        var job = _farm.Offer("zlib");
        _farm.Pass(TimeSpan.FromMinutes(5));
        _farm["anna"].Settle();
        Assert.Equal([("zlib", ClaimPhase.Claimed)], _farm["anna"].Claims);

        _farm.See("anna");
        _farm.Status = JobStatus.Blocked;
        _farm["anna"].ReadJob(job);
        _farm["anna"].Settle();
        Assert.Empty(_farm["anna"].Claims);
    }

    [Fact]
    public void Two_may_build_where_two_are_wanted()
    {
        var farm = new ClaimFarm("anna", "boris", "carla");
        var job = farm.Offer("zlib", but: j => j with { Wanted = 2 });
        farm.Pass(TimeSpan.FromMinutes(5));
        foreach (var name in new[] { "anna", "boris", "carla" })
        {
            farm.SettleSeen(name, job);
        }

        Assert.Equal([("zlib", ClaimPhase.Building)], farm["anna"].Claims);
        Assert.Equal([("zlib", ClaimPhase.Building)], farm["boris"].Claims);
        Assert.Empty(farm["carla"].Claims);
    }

    [Fact]
    public void A_reserved_job_yields_to_an_idle_builder()
    {
        var next = BuildFirstAndOfferNext();
        _farm["anna"].Settle();
        Assert.Equal([("first", ClaimPhase.Building), ("next", ClaimPhase.Reserved)], _farm["anna"].Claims);

        _farm.SettleSeen("boris", next);
        Assert.Equal([("next", ClaimPhase.Building)], _farm["boris"].Claims);

        _farm.Jobs.Clear();
        _farm["anna"].Settle();
        Assert.Equal([("first", ClaimPhase.Building)], _farm["anna"].Claims);
    }

    [Fact]
    public void A_reservation_is_kept_without_asking_anybody()
    {
        BuildFirstAndOfferNext();
        var anna = _farm["anna"];
        anna.ReadMaster();
        Assert.NotEmpty(anna.Step().ReadPeers);
        anna.Answer(["boris"], nothing: true);
        _farm.Pass(TimeSpan.FromSeconds(1));
        Assert.IsType<Reserved>(Assert.Single(anna.Step().Record));

        _farm.Pass(TimeSpan.FromSeconds(5));
        anna.ReadMaster();
        var step = anna.Step();

        Assert.Empty(step.Record);
        Assert.Empty(step.ReadPeers);
    }

    [Fact]
    public void A_draining_builder_gives_up_what_it_only_reserved()
    {
        BuildFirstAndOfferNext();
        _farm["anna"].Settle();
        Assert.Equal([("first", ClaimPhase.Building), ("next", ClaimPhase.Reserved)], _farm["anna"].Claims);

        _farm["anna"].Terms = _farm["anna"].Terms with { Draining = true };
        _farm["anna"].Settle();
        Assert.Equal([("first", ClaimPhase.Building)], _farm["anna"].Claims);
    }

    [Fact]
    public void A_builder_takes_only_what_it_can_build_and_is_not_asked_to_leave()
    {
        _farm.Offer("arm", but: j => j with { Architecture = "aarch64" });
        _farm.Offer("avoided", but: j => j with { Avoid = [ClaimFarm.KeyOf("anna")] });
        _farm.Pass(TimeSpan.FromMinutes(5));
        _farm["anna"].Settle();
        Assert.Empty(_farm["anna"].Claims);
        _farm.Offer("any", but: j => j with { Architecture = "any", ReadyAt = j.ReadyAt.AddMinutes(-5) });
        _farm["anna"].Settle();
        Assert.Equal([("any", ClaimPhase.Claimed)], _farm["anna"].Claims);
    }

    [Fact]
    public void A_draining_builder_takes_nothing_new()
    {
        _farm.Offer("zlib");
        _farm.Pass(TimeSpan.FromMinutes(5));
        _farm["anna"].Terms = _farm["anna"].Terms with { Draining = true };
        _farm["anna"].Settle();
        Assert.Empty(_farm["anna"].Claims);
    }

    [Fact]
    public void A_builder_that_does_not_know_yet_that_it_is_drained_begins_nothing()
    {
        var job = _farm.Offer("zlib");
        _farm.Pass(TimeSpan.FromMinutes(5));
        _farm.Drain("anna");

        _farm["anna"].Settle();
        Assert.Equal([("zlib", ClaimPhase.Claimed)], _farm["anna"].Claims);
        _farm.See("anna");
        _farm["anna"].ReadJob(job);
        _farm["anna"].Settle();

        Assert.Empty(_farm["anna"].Claims);
    }

    [Fact]
    public void A_settled_attempt_is_given_up()
    {
        var job = _farm.Offer("zlib");
        _farm.Pass(TimeSpan.FromMinutes(5));
        _farm["anna"].Settle();
        Assert.Single(_farm["anna"].Claims);
        _farm.Jobs.Clear();
        _farm["anna"].ReadJob(job with { Attempt = 2 });
        _farm["anna"].Settle();
        Assert.Empty(_farm["anna"].Claims);
    }

    [Fact]
    public void A_rival_that_the_master_saw_is_one_until_the_master_says_otherwise()
    {
        var job = _farm.Offer("zlib");
        var (better, worse) = _farm.Ranked(job, "anna", "boris");
        _farm.Pass(TimeSpan.FromMinutes(5));
        foreach (var name in new[] { better, worse })
        {
            _farm[name].ReadMaster();
            Assert.Empty(_farm[name].Step().Record);
        }

        foreach (var name in new[] { better, worse })
        {
            _farm[name].Answer(_farm.Others(name), nothing: true);
            Assert.IsType<Claimed>(Assert.Single(_farm[name].Step().Record));
        }

        _farm.See("anna");
        _farm.See("boris");
        _farm[better].ReadJob(job);
        _farm[worse].ReadJob(job);
        _farm[worse].Settle();
        Assert.Empty(_farm[worse].Claims);

        // It says itself that it is none, but it might as well have built it, been settled and forgotten that.
        _farm.Pass(TimeSpan.FromSeconds(2));
        _farm[better].Settle();
        Assert.Equal([("zlib", ClaimPhase.Claimed)], _farm[better].Claims);
        _farm[better].ReadJob(job);
        _farm[better].Settle();
        Assert.Equal([("zlib", ClaimPhase.Building)], _farm[better].Claims);
    }

    [Fact]
    public void A_builder_of_weight_2_is_first_twice_as_often()
    {
        var first = 0;
        for (var i = 0; i < 3000; i++)
        {
            var name = $"job{i}.1";
            var heavy = Rendezvous.Score(Rendezvous.Lot(name, "sha256:heavy"), 2);
            var light = Rendezvous.Score(Rendezvous.Lot(name, "sha256:light"), 1);
            if (heavy > light) first++;
        }

        Assert.InRange(first, 1900, 2100);
    }

    /// <summary>Anna builds one job and another is offered: shortly before the end of the build, and long after
    /// everybody could have taken it.</summary>
    private QueueJob BuildFirstAndOfferNext()
    {
        var first = _farm.Offer("first");
        _farm.Pass(TimeSpan.FromMinutes(5));
        _farm.SettleSeen("anna", first);
        _farm.Jobs.Clear();
        var next = _farm.Offer("next");
        _farm.Pass(TimeSpan.FromSeconds(95));
        return next;
    }
}
