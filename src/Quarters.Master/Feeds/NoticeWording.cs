using System.Globalization;
using Quarters.Core.Master;
using Quarters.Master.Pages;
using static Quarters.Master.Pages.Html;

namespace Quarters.Master.Feeds;

/// <summary>A notice in words.</summary>
internal static class NoticeWording
{
    /// <summary>The most of a title that is told.</summary>
    private const int MaxTitle = 200;

    /// <summary>It in a line.</summary>
    public static string Title(Notice notice)
    {
        var package = $"{notice.Subject} {notice.Version} for {notice.Architecture}";
        var title = notice.Kind switch
        {
            NoticeKind.Published => $"{package} is in {notice.Repository}",
            NoticeKind.Recovered => $"{package} builds again",
            NoticeKind.Failed => $"{package} does not build",
            NoticeKind.Unreadable => $"{notice.Subject} cannot be read",
            NoticeKind.Readable => $"{notice.Subject} {notice.Version} can be read again",
            NoticeKind.RebuildBegun => $"The rebuild {notice.Subject} began: {notice.Count?.Packages} packages",
            NoticeKind.RebuildMerged => $"The rebuild {notice.Subject} was merged: {Counted(notice.Count)}",
            NoticeKind.RebuildDropped => $"The rebuild {notice.Subject} was dropped: {Counted(notice.Count)}",
            _ => notice.Subject,
        };
        return Wording.Clip(title, MaxTitle);
    }

    /// <summary>All that there is to say, as HTML.</summary>
    public static Html Content(Feed feed, Notice notice)
    {
        var log = feed.Absolute(Links.Log(notice.Job, notice.Attempt));
        var package = feed.Absolute(Links.Package(notice.Subject));
        var name = Wording.Clip(notice.Subject, MaxTitle);
        return H(
            $"""
            {When(notice.Reason.Length > 0, $"<p>{Wording.Clip(notice.Reason, Wording.LongReason)}</p>")}
            {When(notice.FailedSince is not null, $"<p>It had failed since {Exact(notice.FailedSince)}.</p>")}
            {When(!notice.Lines.IsEmpty, $"<ul>{Each(notice.Lines, Line)}</ul>")}
            {When(notice.More > 0, $"<p>and {notice.More} more</p>")}
            {When(notice.Attempt > 0, $"""<p><a href="{log}">Log of attempt {notice.Attempt}</a></p>""")}
            {When(IsOfPackage(notice), $"""<p><a href="{package}">All of {name}</a></p>""")}
            """);
    }

    /// <summary>The page of what it tells of.</summary>
    public static string Page(Feed feed, Notice notice) => feed.Absolute(notice switch
    {
        { Job.Length: > 0 } => Links.Job(notice.Job),
        _ when IsOfPackage(notice) => Links.Package(notice.Subject),
        { Kind: NoticeKind.RebuildBegun } when feed.Input.State.Rebuilds.ContainsKey(notice.Subject) =>
            Links.Rebuild(notice.Subject),
        _ => feed.Page,
    });

    /// <summary>A packager's name without the mail address; null where there is none.</summary>
    public static string? NameOf(string packager)
    {
        var name = packager.Split('<')[0].Trim();
        return name.Length > 0 ? Wording.Clip(name, MaxTitle) : null;
    }

    private static bool IsOfPackage(Notice notice) => notice.Kind is NoticeKind.Published or NoticeKind.Recovered
        or NoticeKind.Failed or NoticeKind.Unreadable or NoticeKind.Readable;

    private static Html Line(string line) => H($"<li>{Wording.Clip(line, Wording.LongReason)}</li>");

    private static string Exact(DateTimeOffset? time) =>
        time?.ToUniversalTime().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture) ?? "";

    private static string Counted(RebuildCount? count) => count is null
        ? ""
        : $"{count.Built} of {count.Packages} packages built, {count.Failed} failed";
}
