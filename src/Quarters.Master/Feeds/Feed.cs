using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Quarters.Core.Master;
using Quarters.Master.Pages;

namespace Quarters.Master.Feeds;

/// <summary>One of the feeds: what it is called, and what it tells.</summary>
internal sealed record Feed
{
    private const string Prefix = "/feeds/";
    private const string Suffix = ".atom";

    private readonly string _name;

    private Feed(string name, PageInput input)
    {
        _name = name;
        Input = input;
        // The newest first.
        Notices = [.. input.State.Notices.GetValueOrDefault(name, []).Reverse()];
    }

    /// <summary>What it is made of.</summary>
    public PageInput Input { get; }

    /// <summary>Its notices, the newest first.</summary>
    public ImmutableArray<Notice> Notices { get; }

    /// <summary>What it is called.</summary>
    public required string Title { get; init; }

    /// <summary>The page that shows what it tells of.</summary>
    public required string Page { get; init; }

    /// <summary>Its name for ever: of the master's key, so that it stays when the master moves.</summary>
    public string Id => Urn($"{Input.PublicKey}\n{_name}\n");

    /// <summary>Its own address.</summary>
    public string Address => Absolute(Links.Feed(_name));

    /// <summary>When it last changed; what never did has been so for ever.</summary>
    public DateTimeOffset Updated => Notices is [var newest, ..] ? newest.Updated : DateTimeOffset.UnixEpoch;

    /// <summary>The feed at a path; null where there is none.</summary>
    /// <param name="path">As it was asked for: not trusted.</param>
    /// <param name="input">What it is made of.</param>
    public static Feed? Find(string path, PageInput input)
    {
        if (!path.StartsWith(Prefix, StringComparison.Ordinal) || !path.EndsWith(Suffix, StringComparison.Ordinal)
            || path.Length <= Prefix.Length + Suffix.Length)
            return null;
        var name = path[Prefix.Length..^Suffix.Length];
        if (name == FeedName.Failures)
            return new Feed(name, input) { Title = $"{input.Name}: failures", Page = "/jobs?status=failed" };
        var settings = input.State.Settings;
        if (settings?.Repositories.FirstOrDefault(one => FeedName.OfRepository(one) == name) is { } repository)
        {
            return new Feed(name, input)
            {
                Title = $"{input.Name}: repository {repository}",
                Page = Links.Repository(repository, settings.Architectures[0]),
            };
        }

        return FeedName.IsPackagers(name) && FindPackager(name, input.State) is { } packager
            ? new Feed(name, input) { Title = $"{input.Name}: packages of {packager}", Page = "/packages" }
            : null;
    }

    /// <summary>The name of one of its notices for ever: the same in every feed.</summary>
    public string IdOf(Notice notice) =>
        Urn(FormattableString.Invariant($"{Input.PublicKey}\n{notice.Revision}\n{notice.Number}\n"));

    /// <summary>A path of this master as others reach it.</summary>
    public string Absolute(string path) => Input.Address.AbsoluteUri.TrimEnd('/') + path;

    /// <summary>Whose feed it is. Who has no notice yet is looked for in the packages.</summary>
    private static string? FindPackager(string name, MasterState state) =>
        state.Notices.GetValueOrDefault(name) is { IsEmpty: false } told
            ? told[^1].Packager
            : state.Packages.Values.Select(record => record.Source?.Packager)
                .FirstOrDefault(packager => packager is not null && FeedName.OfPackager(packager) == name);

    private static string Urn(string text) =>
        "urn:sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
