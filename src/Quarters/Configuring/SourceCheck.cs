using Quarters.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Configuring;

/// <summary>What the types of a <c>[[source]]</c> cannot say: which keys belong to which kind, and what must be in
/// them.</summary>
internal static class SourceCheck
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    /// <summary>No timer runs for longer than seven weeks.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    /// <summary>Everything that is wrong, a sentence each.</summary>
    internal static IEnumerable<string> Problems(FarmFile file)
    {
        if (file.Source.Count == 0)
            yield return "there must be at least one [[source]], where PKGBUILDs come from";
        foreach (var same in file.Source.GroupBy(source => source.Name, StringComparer.Ordinal))
        {
            if (same.Skip(1).Any())
                yield return $"there are two sources \"{same.Key}\"";
        }

        foreach (var source in file.Source)
        {
            foreach (var problem in Keys(source).Concat(Values(file, source)))
                yield return $"source \"{source.Name}\": {problem}";
        }
    }

    /// <summary>The keys that a kind cannot do without, and those that it takes beside those of all kinds.</summary>
    private static (string[] Needs, string[] Takes) KeysOf(SourceKind kind) => kind switch
    {
        SourceKind.Git => (["url"], ["branch", "tags", "layout", "pick", "list", "list-url"]),
        SourceKind.Svn => (["url"], ["layout", "pick"]),
        SourceKind.Hg => (["url"], ["branch", "layout", "pick"]),
        SourceKind.Plugin => (["command"], []),
        SourceKind.Web => (["url"], []),
        SourceKind.Aur => ([], ["url", "packages", "list", "follow"]),
        // A directory shows by itself which layout it has; saying so does no harm.
        _ => (["path"], ["layout"]),
    };

    private static (string Key, bool Given)[] Given(SourceSection source) =>
    [
        ("url", !string.IsNullOrEmpty(source.Url)), ("branch", source.Branch is not null),
        ("tags", source.Tags is not null), ("pick", source.Pick is not null),
        ("path", !string.IsNullOrEmpty(source.Path)), ("layout", source.Layout is not null),
        ("command", source.Command is { Count: > 0 }), ("packages", source.Packages is not null),
        ("list", source.List is not null), ("list-url", source.ListUrl is not null),
        ("follow", source.Follow is not null),
    ];

    private static IEnumerable<string> Keys(SourceSection source)
    {
        var (needs, takes) = KeysOf(source.Kind);
        var kind = WordConverter<SourceKind>.Of(source.Kind);
        foreach (var (key, given) in Given(source))
        {
            if (needs.Contains(key) && !given)
                yield return $"kind \"{kind}\" needs {key}";
            if (given && !needs.Contains(key) && !takes.Contains(key))
                yield return $"{key} does not belong to kind \"{kind}\"";
        }
    }

    private static IEnumerable<string> Values(FarmFile file, SourceSection source)
    {
        if (!SourceName.IsValid(source.Name))
            yield return $"its name must be {SourceName.Rule}";
        if (source.Repository is { } repository && file.Repository.All(known => known.Name != repository))
            yield return $"there is no [[repository]] \"{repository}\"";
        if (source is { Kind: SourceKind.Aur, Packages: not { Count: > 0 }, List: null })
            yield return "kind \"aur\" needs packages = [\"…\"], or list = a file with a name a line";
        if (source.Kind is (SourceKind.Aur or SourceKind.Web) && source.Url is { } url && !IsWeb(url))
            yield return $"url = \"{url}\" must begin with https:// or http://";
        if (source.List is "")
            yield return "list must name a file";
        if (new[] { source.Url, source.Path, source.List, source.ListUrl, source.Packagers }
            .Any(place => place?.Any(char.IsControl) == true))
            yield return "url, path, list, list-url and packagers hold no control characters";
        if (source.ListUrl is not null && source.List is null)
            yield return "list-url needs list, the file or directory in that repository";
        if (source.List is not null && (source.Layout is not null || source.Pick is not null))
            yield return "layout and pick do not go with list: each repository of it is one package";
        if (!IsTimer(source.PollInterval))
            yield return "poll must be at least \"1 s\" and at most \"30 d\"";
        if (source.UpstreamPoll is { } upstreams && (!IsTimer(upstreams) || upstreams < TimeSpan.FromMinutes(1)))
            yield return "upstream-poll must be at least \"1 min\" and at most \"30 d\"";
        if (!IsTimer(source.Deadline))
            yield return "deadline must be at least \"1 s\" and at most \"30 d\"";
        foreach (var fault in (source.Packager ?? []).Select(PackagerSettings.FindFault).OfType<string>())
            yield return $"packager: {fault}";
    }

    /// <summary>Whether something can be waited for so long.</summary>
    internal static bool IsTimer(TimeSpan time) => time >= Shortest && time <= Longest;

    private static bool IsWeb(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is ("https" or "http");
}
