using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Tests;

public sealed class ReviewTests
{
    private readonly Farm _farm = new();
    private int _signals;

    private SourcePackage Offer(string line)
    {
        var package = _farm.Package("main", line);
        Offer(package);
        return package;
    }

    private void Offer(SourcePackage package) => _farm.Apply(new SourcePolled(new SourceReport
    {
        Source = "main",
        Cursor = Guid.NewGuid().ToString(),
        Changed = [package],
        Parsed = 1,
        Total = 1,
    })
    {
        Reviews = [new NeededReview(package.Origin.Path, ["the install script x changed"], "- old\n+ new")],
    });

    private SignalOutcome Send(SourcePackage seen, bool reject = false)
    {
        var signal = new JudgeChange
        {
            Id = $"s{++_signals}",
            Time = _farm.Now,
            Name = seen.Pkgbase,
            ArchiveSha256 = seen.ArchiveSha256,
            Reject = reject,
        };
        foreach (var happens in Signals.Settle(_farm.State, signal))
            _farm.Apply(happens);
        return _farm.State.Signals[signal.Id];
    }

    private string Why => string.Join(' ', Master.Why.Of(_farm.State, "tool"));

    private JobStatus? StatusOf(SourcePackage package) => _farm.State.Jobs.Values
        .SingleOrDefault(job => job.SourceSha256 == package.ArchiveSha256)?.Status;

    [Fact]
    public void A_change_waits_until_it_is_accepted_and_what_was_accepted_last_is_built_meanwhile()
    {
        _farm.Commit("tool 1-1");
        var before = _farm.State.Packages["tool"].Source!;
        var change = Offer("tool 2-1");

        Assert.Null(StatusOf(change));
        Assert.Equal(JobStatus.Ready, StatusOf(before));
        Assert.Contains(
            "tool 2-1 from main needs review: the install script x changed.", Why, StringComparison.Ordinal);
        Assert.Equal("- old\n+ new", Projection.Package(_farm.State, "tool").Review!.Diff);

        Assert.Null(Send(change).Refusal);
        Assert.Equal(JobStatus.Ready, StatusOf(change));
        Assert.Equal(JobStatus.Superseded, StatusOf(before));
        Assert.Empty(_farm.State.Reviews);
    }

    [Fact]
    public void A_new_package_is_nothing_until_it_is_accepted()
    {
        var change = Offer("tool 1-1");

        Assert.Empty(_farm.State.Jobs);
        Assert.StartsWith("tool 1-1 from main needs review", Why, StringComparison.Ordinal);
        Send(change);
        Assert.Equal(JobStatus.Ready, StatusOf(change));
    }

    [Fact]
    public void What_was_not_looked_at_is_not_accepted()
    {
        var seen = Offer("tool 1-1");
        var now = Offer("tool 2-1");

        Assert.Contains("has changed since", Send(seen).Refusal, StringComparison.Ordinal);
        Assert.Null(StatusOf(now));
    }

    [Fact]
    public void What_was_rejected_stays_so_until_it_changes()
    {
        _farm.Commit("tool 1-1");
        var change = Offer("tool 2-1");

        Assert.Null(Send(change, reject: true).Refusal);
        Assert.Contains("was rejected by an operator", Why, StringComparison.Ordinal);
        Offer(change);
        Assert.True(_farm.State.Reviews["tool"].Rejected);
        Offer("tool 3-1");
        Assert.False(_farm.State.Reviews["tool"].Rejected);
    }

    [Fact]
    public void A_change_that_is_taken_back_or_whose_package_goes_needs_no_review()
    {
        _farm.Commit("tool 1-1");
        Offer("tool 2-1");
        _farm.Commit("tool 1-1");
        Assert.Empty(_farm.State.Reviews);

        Offer("tool 2-1");
        _farm.Apply(new SourcePolled(new SourceReport { Source = "main", Cursor = "x", RemovedPaths = ["tool"] }));
        Assert.Empty(_farm.State.Reviews);
        Assert.Null(_farm.State.Packages["tool"].Source);
    }

    [Fact]
    public void After_a_restart_it_still_waits_and_can_go()
    {
        Offer("tool 1-1");
        var restored = MasterMachine.Restore(_farm.State, pinned => pinned.Index, _farm.Now);

        Assert.Equal("tool", restored.Reviews.Keys.Single());
        var gone = MasterMachine.Apply(
            restored, new SourcePolled(new SourceReport { Source = "main", Cursor = "x", RemovedPaths = ["tool"] }),
            _farm.Now).State;
        Assert.Empty(gone.Reviews);
    }
}
