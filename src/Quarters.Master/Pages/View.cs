using System.Collections.Immutable;
using Quarters.Core.Master;

namespace Quarters.Master.Pages;

/// <summary>What every page has.</summary>
/// <param name="Input">What it is made of.</param>
/// <param name="Title">Its title, before the master's name.</param>
internal abstract record View(PageInput Input, string Title)
{
    /// <summary>The entry of the navigation that it belongs to, as in <c>packages</c>; else empty.</summary>
    public string Section { get; init; } = "";

    /// <summary>Whether the browser should read it again every half minute.</summary>
    public bool Refreshes { get; init; }

    /// <summary>The feeds with news of what it shows.</summary>
    public ImmutableArray<FeedLink> Feeds { get => field.IsDefault ? [] : field; init; }

    /// <summary>The time at which the page is true.</summary>
    public DateTimeOffset Now => Input.Now;
}

/// <summary>The way to a feed.</summary>
/// <param name="Title">What it tells of, as in <c>failures</c>.</param>
/// <param name="Path">Its address.</param>
internal sealed record FeedLink(string Title, string Path)
{
    /// <summary>The feed of failures.</summary>
    public static FeedLink Failures { get; } = new("failures", Links.Feed(FeedName.Failures));

    /// <summary>The feed of a repository.</summary>
    public static FeedLink OfRepository(string name) =>
        new($"repository {name}", Links.Feed(FeedName.OfRepository(name)));

    /// <summary>The feed of a packager.</summary>
    public static FeedLink OfPackager(string packager) =>
        new($"packages of {Wording.Clip(packager, 100)}", Links.Feed(FeedName.OfPackager(packager)));
}
