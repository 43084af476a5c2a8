using Quarters.Core.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Git;

/// <summary>A git repository to take packages from.</summary>
public sealed record GitSourceSettings
{
    /// <summary>The source's name; it becomes part of file names below the state directory.</summary>
    public required string Name { get; init; }

    /// <summary>Anything that git can fetch from: <c>https://</c>, <c>ssh://</c>, <c>git://</c>, <c>host:path</c>, a
    /// path.</summary>
    public required string Url { get; init; }

    /// <summary>The branch; null takes the one that the repository calls its own (HEAD).</summary>
    public string? Branch { get; init; }

    /// <summary>How many directories lead from <see cref="Prefix"/> to a PKGBUILD: 1 for one directory a package,
    /// 0 for a repository that is one package.</summary>
    public int Depth { get; init; } = 1;

    /// <summary>The directory below which the packages are; empty for the top.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>The repository that the packages are built for.</summary>
    public required string Repository { get; init; }

    /// <summary>Who is named as the packager.</summary>
    public PackagerSettings Packagers { get; init; } = new();

    /// <summary>Where the mirror and the memory are kept.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>How large a package's directory may be.</summary>
    public TreeLimits TreeLimits { get; init; } = TreeLimits.Default;

    /// <summary>How long fetching may last.</summary>
    public TimeSpan FetchTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long any other git command may last; the walk over a long history is the slowest.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <exception cref="ArgumentException">A setting cannot be used; the message says which and why.</exception>
    internal void Check()
    {
        SourceName.Check(Name);
        if (Url.Length == 0 || Url[0] == '-' || Url.Any(char.IsControl))
            throw Refused($"The url '{Url}' is not one that git takes.", nameof(Url));
        if (Branch is { } branch && (
            branch.Length == 0 || branch[0] == '-' || branch.Contains("..", StringComparison.Ordinal)
            || branch.Any(character => char.IsControl(character) || " ~^:?*[\\".Contains(character))))
            throw Refused($"The branch '{branch}' is not the name of one.", nameof(Branch));
        if (Depth is < 0 or > 8)
            throw Refused($"The depth {Depth} is not between 0 and 8.", nameof(Depth));
        if (Prefix.Split('/').Any(part => part is "." or ".."))
            throw Refused($"The prefix '{Prefix}' is not a path inside the repository.", nameof(Prefix));
    }

    private ArgumentException Refused(string reason, string setting) => new($"Source {Name}: {reason}", setting);
}
