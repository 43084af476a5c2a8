using Quarters.Sources.Versioned;

namespace Quarters.Sources.Git;

/// <summary>Many git repositories, each of which is one package, and the list that names them.</summary>
public sealed record GitRepositoriesSettings : SourceSettings
{
    /// <summary>What stands for a package's name in <see cref="Url"/>.</summary>
    public const string NamePlace = "{name}";

    /// <summary>Where the repository of a package is, with <see cref="NamePlace"/> in the place of its name.</summary>
    public required string Url { get; init; }

    /// <summary>The list: a file here, or, with <see cref="ListUrl"/>, a file or directory in that repository. See
    /// <see cref="RepositoryList"/> for what is in it.</summary>
    public required string List { get; init; }

    /// <summary>The git repository that holds the list; null where it is a file here.</summary>
    public string? ListUrl { get; init; }

    /// <summary>What of each repository is built, where the list does not say.</summary>
    public GitReference Reference { get; init; } = GitReference.Head;

    /// <summary>How many repositories are asked, or fetched, at once.</summary>
    public int Connections { get; init; } = 8;

    /// <summary>How long fetching one repository may last.</summary>
    public TimeSpan FetchTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <exception cref="SourceSettingsException">A setting cannot be used; the message says which and why.</exception>
    internal static void Check(GitRepositoriesSettings settings)
    {
        VersionedSettings.Check(settings.Of(settings.Name, settings.Url, settings.Reference, settings.StateDirectory));
        if (settings.ListUrl is { } list)
            VersionedSettings.Check(settings.Of(settings.Name, list, GitReference.Head, settings.StateDirectory));
        if (!settings.Url.Contains(NamePlace, StringComparison.Ordinal))
            throw new SourceSettingsException($"The url '{settings.Url}' must hold {NamePlace}.");
    }

    /// <summary>One of the repositories as a source of its own.</summary>
    internal GitSourceSettings Of(string name, string url, GitReference reference, string directory) => new()
    {
        Name = name,
        Url = url,
        Reference = reference,
        Layout = new PackageLayout { Depth = 0 },
        Repository = Repository,
        StateDirectory = directory,
        TreeLimits = TreeLimits,
        FetchTimeout = FetchTimeout,
    };
}
