using System.Collections.Immutable;

namespace Quarters.Core.Master;

/// <summary>The feeds on their way through one step: each keeps its newest notices.</summary>
internal sealed class NoticeBook(MasterState before, MasterState after, DateTimeOffset time)
{
    /// <summary>So much of a reason is told, in characters.</summary>
    private const int MaxReason = 500;

    /// <summary>So many lines are told.</summary>
    private const int MaxLines = 50;

    private int _told;

    public MasterState Before => before;

    /// <summary>The state with what was told until now.</summary>
    public MasterState After { get; private set; } = after;

    /// <summary>A notice of this step that is not told yet.</summary>
    public Notice New(NoticeKind kind, string subject) => new()
    {
        Kind = kind,
        Revision = After.Revision,
        Number = _told++,
        Told = time,
        Updated = time,
        Subject = subject,
    };

    /// <summary>A notice of this step with lines, of many the first.</summary>
    public Notice New(NoticeKind kind, string subject, IReadOnlyCollection<string> lines) => New(kind, subject) with
    {
        Lines = [.. lines.Take(MaxLines)],
        More = Math.Max(0, lines.Count - MaxLines),
    };

    /// <summary>Tells a notice in a feed.</summary>
    public void Tell(string feed, Notice notice)
    {
        var feeds = After.Notices;
        if (FeedName.IsPackagers(feed) && !feeds.ContainsKey(feed)) feeds = MakeRoom(feeds);
        var told = feeds.GetValueOrDefault(feed, []).Add(Cut(notice));
        var kept = FeedName.IsPackagers(feed) ? MasterState.MaxNoticesOfPackager : MasterState.MaxNotices;
        After = After with
        {
            Notices = feeds.SetItem(feed, told.RemoveRange(0, Math.Max(0, told.Count - kept))),
        };
    }

    /// <summary>Takes a notice out of a feed, for its successor.</summary>
    public void Withdraw(string feed, long revision)
    {
        var told = After.Notices.GetValueOrDefault(feed, []);
        var at = told.FindLastIndex(notice => notice.Revision == revision);
        if (at >= 0) After = After with { Notices = After.Notices.SetItem(feed, told.RemoveAt(at)) };
    }

    /// <summary>Notes that a package's failure was told; false when it had been already.</summary>
    public bool NoteFailure(string pkgbase, string architecture)
    {
        var record = After.Packages[pkgbase];
        if (record.ToldFailures.Any(told => told.Architecture == architecture)) return false;
        Note(pkgbase, record with { ToldFailures = record.ToldFailures.Add(new ToldFailure(architecture, time)) });
        return true;
    }

    /// <summary>Notes that a package was built; since when it had failed, or null when that was not told.</summary>
    public DateTimeOffset? NoteRecovery(string pkgbase, string architecture)
    {
        var record = After.Packages[pkgbase];
        if (record.ToldFailures.FirstOrDefault(told => told.Architecture == architecture) is not { } failure)
            return null;
        Note(pkgbase, record with { ToldFailures = record.ToldFailures.Remove(failure) });
        return failure.Since;
    }

    private void Note(string pkgbase, PackageRecord record) =>
        After = After with { Packages = After.Packages.SetItem(pkgbase, record) };

    /// <summary>One more packager than may be: who had nothing to be told for longest makes room.</summary>
    private static ImmutableDictionary<string, ImmutableList<Notice>> MakeRoom(
        ImmutableDictionary<string, ImmutableList<Notice>> feeds)
    {
        var packagers = feeds.Where(feed => FeedName.IsPackagers(feed.Key)).ToList();
        return packagers.Count < MasterState.MaxPackagers
            ? feeds
            : feeds.Remove(packagers.MinBy(feed => (feed.Value[^1].Revision, feed.Value[^1].Number, feed.Key)).Key);
    }

    private static Notice Cut(Notice notice)
    {
        if (notice.Reason.Length <= MaxReason) return notice;
        // A pair of surrogates is one character.
        var end = char.IsHighSurrogate(notice.Reason[MaxReason - 1]) ? MaxReason - 1 : MaxReason;
        return notice with { Reason = notice.Reason[..end] + "…" };
    }
}
