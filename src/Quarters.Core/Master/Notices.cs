using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>
/// What a step has to tell people: of a package that it was built, that it failed for the first time since it was last
/// built, and that it recovered, however what is published came there; one notice for each change of the repositories;
/// and one for each rebuild, which changes when that ends, and none for its packages.
/// </summary>
internal static class Notices
{
    /// <summary>The step with what there is to tell of it.</summary>
    /// <param name="before">The state before it.</param>
    /// <param name="happened">The event that it is of.</param>
    /// <param name="step">The step.</param>
    /// <param name="time">When that was journaled.</param>
    public static MasterStep Tell(MasterState before, MasterEvent happened, MasterStep step, DateTimeOffset time)
    {
        if (before.Settings is null) return step;
        var book = new NoticeBook(before, step.State, time);
        switch (happened)
        {
            case ResultAccepted accepted: TellBuilt(book, accepted); break;
            case AttemptFailed or ClaimLost or ResultRefused or ResultWitnessed: TellFailed(book, step.Jobs); break;
            case SourcePolled polled: TellUnreadable(book, polled.Report); break;
            case RepositoriesChanged { Rebuild: null } changed: TellChanged(book, changed); break;
            case RebuildBegun begun: TellBegun(book, begun); break;
            case RebuildEnded ended: TellEnded(book, ended); break;
        }

        return step with { State = book.After };
    }

    private static void TellBuilt(NoticeBook book, ResultAccepted accepted)
    {
        if (book.After.Jobs.GetValueOrDefault(accepted.Result.Job) is not { Status: JobStatus.Built, Rebuild: null } job
            || book.Before.Jobs[job.Id].Status == JobStatus.Built
            || book.After.SourceOf(job) is not { } source)
            return;
        var since = book.NoteRecovery(job.Pkgbase, job.Architecture);
        string[] names = [.. accepted.Packages.Select(package => package.Name)];
        var notice = book.New(since is null ? NoticeKind.Published : NoticeKind.Recovered, job.Pkgbase, names) with
        {
            Version = job.Version,
            Architecture = job.Architecture,
            Repository = source.Repository,
            Packager = source.Packager,
            Job = job.Id,
            Attempt = accepted.Result.Attempt,
            FailedSince = since,
        };
        book.Tell(FeedName.OfRepository(source.Repository), notice);
        book.Tell(FeedName.OfPackager(source.Packager), notice);
        if (since is not null) book.Tell(FeedName.Failures, notice);
    }

    private static void TellFailed(NoticeBook book, IEnumerable<string> jobs)
    {
        foreach (var id in jobs.Order(StringComparer.Ordinal))
        {
            if (book.After.Jobs[id] is not { Status: JobStatus.Failed, Rebuild: null } job
                || book.Before.Jobs.GetValueOrDefault(id)?.Status == JobStatus.Failed
                || book.After.SourceOf(job) is not { } source
                || !book.NoteFailure(job.Pkgbase, job.Architecture))
                continue;
            TellFailure(book, source.Packager, book.New(NoticeKind.Failed, job.Pkgbase) with
            {
                Version = job.Version,
                Architecture = job.Architecture,
                Repository = source.Repository,
                Packager = source.Packager,
                Job = id,
                Attempt = job.Attempts is not [.., var last] ? job.Attempt
                    // Which builders are right is not known: no log is the one to read.
                    : last.End == AttemptEnd.Witnessed ? 0
                    : last.Number,
                Reason = Why.Of(book.After, job),
            });
        }
    }

    /// <summary>What a package is to be read from changed, and it cannot be read; or it can again.</summary>
    private static void TellUnreadable(NoticeBook book, SourceReport report)
    {
        foreach (var unreadable in report.Unreadable)
        {
            var key = MasterState.PathKey(report.Source, unreadable.Path);
            if (book.Before.Unreadable.ContainsKey(key) || !book.After.Unreadable.ContainsKey(key)) continue;
            var packager = book.Before.Packages.GetValueOrDefault(unreadable.Name)?.Source?.Packager ?? "";
            TellFailure(book, packager, book.New(NoticeKind.Unreadable, unreadable.Name) with
            {
                Packager = packager,
                Reason = unreadable.Reason,
            });
        }

        foreach (var package in report.Changed)
        {
            var key = MasterState.PathKey(report.Source, package.Origin.Path);
            if (!book.Before.Unreadable.ContainsKey(key) || book.After.Unreadable.ContainsKey(key)) continue;
            TellFailure(book, package.Packager, book.New(NoticeKind.Readable, package.Pkgbase) with
            {
                Version = package.Version,
                Packager = package.Packager,
            });
        }
    }

    private static void TellFailure(NoticeBook book, string packager, Notice notice)
    {
        book.Tell(FeedName.Failures, notice);
        if (packager.Length > 0) book.Tell(FeedName.OfPackager(packager), notice);
    }

    private static void TellChanged(NoticeBook book, RepositoriesChanged changed)
    {
        var notice = book.New(NoticeKind.Changed, changed.Why, [.. Moves.Lines(changed.Replacements)]);
        // In whichever order: it is one notice in each.
        foreach (var repository in changed.Replacements.Select(one => one.Repository).Distinct())
            book.Tell(FeedName.OfRepository(repository), notice);
        TellRecovered(book, changed);
    }

    /// <summary>What a bootstrap or an adoption brought, complete and as new as its source, is not built here any
    /// more: without this the next version's failure would follow one that is over.</summary>
    private static void TellRecovered(NoticeBook book, RepositoriesChanged changed)
    {
        foreach (var came in changed.Replacements.Where(one => one.After is not null)
            .GroupBy(one => one.After!.Pkgbase, StringComparer.Ordinal))
        {
            if (book.After.Packages.GetValueOrDefault(came.Key) is not
                { Source: { } source, ToldFailures.IsEmpty: false } record)
                continue;
            var entered = came.Select(one => one.Key()).Distinct().Select(key => book.After.Repositories[key]).ToList();
            foreach (var failure in record.ToldFailures)
            {
                var published = (
                    from target in Wants.Targets(book.After.Settings!, source)
                    where target.BuildOn == failure.Architecture
                    from repository in entered
                    where repository.Architecture == target.PublishedFor
                    let version = Wants.PublishedVersion(repository, source, target.PublishedFor)
                    where version is not null && PackageVersion.Compare(version, source.Version) >= 0
                    select source with { Version = version, Repository = repository.Name }).FirstOrDefault();
                if (published is not null) TellRecovered(book, published, failure);
            }
        }
    }

    /// <summary>Told to those who were told of the failure: a repository's readers have one notice of all that
    /// came.</summary>
    private static void TellRecovered(NoticeBook book, SourcePackage published, ToldFailure failure)
    {
        book.NoteRecovery(published.Pkgbase, failure.Architecture);
        TellFailure(book, published.Packager, book.New(NoticeKind.Recovered, published.Pkgbase) with
        {
            Version = published.Version,
            Architecture = failure.Architecture,
            Repository = published.Repository,
            Packager = published.Packager,
            FailedSince = failure.Since,
        });
    }

    private static void TellBegun(NoticeBook book, RebuildBegun begun)
    {
        var rebuild = book.After.Rebuilds[begun.Name];
        var notice = book.New(NoticeKind.RebuildBegun, begun.Name) with
        {
            Reason = begun.Why,
            Count = new RebuildCount(rebuild.Members.Count, 0, 0),
        };
        foreach (var repository in RepositoriesOf(book.After, rebuild))
            book.Tell(FeedName.OfRepository(repository), notice);
    }

    /// <summary>The rebuild's notice becomes that of its end. Of its packages is told only that one recovered, since of
    /// that one the failure was told.</summary>
    private static void TellEnded(NoticeBook book, RebuildEnded ended)
    {
        if (book.Before.Rebuilds.GetValueOrDefault(ended.Name) is not { } rebuild) return;
        var kind = ended.IsMerged ? NoticeKind.RebuildMerged : NoticeKind.RebuildDropped;
        var notice = book.New(kind, ended.Name) with
        {
            Revision = rebuild.Revision,
            Number = 0,
            Told = rebuild.Begun,
            Reason = rebuild.Why,
            Count = CountOf(book.Before, rebuild),
        };
        foreach (var feed in RepositoriesOf(book.Before, rebuild).Select(FeedName.OfRepository))
        {
            book.Withdraw(feed, rebuild.Revision);
            book.Tell(feed, notice);
        }

        if (ended.IsMerged) TellRecovered(book, rebuild);
    }

    private static void TellRecovered(NoticeBook book, Rebuild rebuild)
    {
        foreach (var (pkgbase, member) in rebuild.Members)
        {
            if (book.After.Packages.GetValueOrDefault(pkgbase) is not { ToldFailures.IsEmpty: false } record
                || !Rebuilds.IsBuilt(book.Before, rebuild, member))
                continue;
            foreach (var failure in record.ToldFailures) TellRecovered(book, member.Source!, failure);
        }
    }

    private static RebuildCount CountOf(MasterState state, Rebuild rebuild)
    {
        var built = rebuild.Members.Values.Count(member => Rebuilds.IsBuilt(state, rebuild, member));
        var failed = rebuild.Members.Count(pair => pair.Value.Problem is not null
            || state.Packages.GetValueOrDefault(pair.Key) is { } record && record.Jobs.Any(
                id => state.Jobs[id] is { Status: JobStatus.Failed } job && job.Rebuild == rebuild.Name));
        return new RebuildCount(rebuild.Members.Count, built, failed);
    }

    /// <summary>The repositories that the packages of a rebuild go to.</summary>
    private static IEnumerable<string> RepositoriesOf(MasterState state, Rebuild rebuild) => rebuild.Members
        .Select(pair => pair.Value.Source ?? state.Packages.GetValueOrDefault(pair.Key)?.Source)
        .OfType<SourcePackage>().Select(source => source.Repository)
        .Distinct().Order(StringComparer.Ordinal);
}
