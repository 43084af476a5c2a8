using Quarters.Linux;

namespace Quarters.Building;

/// <summary>Where <c>quarters build</c> keeps what makes the next build fast. All of it may be deleted.</summary>
internal sealed class Caches
{
    private const string SystemCache = "/var/cache";

    /// <summary><c>$XDG_CACHE_HOME/quarters</c>; without it <c>/var/cache/quarters</c> for root and
    /// <c>~/.cache/quarters</c> for everybody else.</summary>
    internal Caches()
    {
        var home = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        // The specification of XDG says that a relative path is to be ignored.
        var parent = home is not null && Path.IsPathFullyQualified(home) ? home
            : LibC.EffectiveUserId == 0 ? SystemCache
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        Root = Path.Combine(parent, "quarters");
        Directory.CreateDirectory(Root);
    }

    internal string Root { get; }

    /// <summary>Golden roots, packages, sources, working copies.</summary>
    internal string Chroots => Path.Combine(Root, "chroots");

    /// <summary>Databases of repositories, by hash.</summary>
    internal string Databases => Path.Combine(Root, "databases");

    /// <summary>Where PKGBUILDs are read.</summary>
    internal string Reading => Path.Combine(Root, "reading");
}
