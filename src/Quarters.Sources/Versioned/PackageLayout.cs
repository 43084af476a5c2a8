using System.Collections.Immutable;

namespace Quarters.Sources.Versioned;

/// <summary>Where the packages are in a repository.</summary>
public sealed record PackageLayout
{
    private const int MaxDepth = 8;

    /// <summary>The directory below which the packages are; empty for the top.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>How many directories lead from <see cref="Prefix"/> to a package: 1 for one directory a package, 0 for
    /// a repository that is one package.</summary>
    public int Depth { get; init; } = 1;

    /// <summary>Directories inside a package's directory, of which the first that holds a PKGBUILD is the package:
    /// <c>trunk</c>, or <c>repos/core-x86_64</c>. Empty where the package's directory itself is.</summary>
    public ImmutableArray<string> Picks { get; init; } = [];

    /// <summary>What a change of it is noticed by.</summary>
    internal string Text => $"{Prefix}\n{Depth}\n{string.Join('\0', Picks)}";

    /// <summary>What makes it unusable; null when nothing does.</summary>
    internal string? FindFault()
    {
        if (Depth is < 0 or > MaxDepth)
            return $"The depth {Depth} is not between 0 and {MaxDepth}.";
        if (!IsInside(Prefix))
            return $"The prefix '{Prefix}' is not a path inside the repository.";
        var bad = Picks.FirstOrDefault(pick => pick.Length == 0 || !IsInside(pick) || pick.Any(char.IsControl));
        return bad is null ? null : $"'{bad}' is not a directory inside a package's.";
    }

    /// <summary>The same, written in the one way that the rest relies on.</summary>
    internal PackageLayout Normalize() =>
        this with { Prefix = Prefix.Trim('/'), Picks = [.. Picks.Select(pick => pick.Trim('/'))] };

    /// <summary>The package whose directory is, or is above, a path; null for what lies above or beside the
    /// packages.</summary>
    internal string? PackageAt(string path)
    {
        if (Prefix.Length > 0 && path != Prefix && !path.StartsWith(Prefix + "/", StringComparison.Ordinal))
            return null;
        var end = Prefix.Length;
        for (var i = 0; i < Depth; i++)
        {
            if (end >= path.Length)
                return null;
            end = path.IndexOf('/', end == 0 ? 0 : end + 1);
            if (end < 0)
                end = path.Length;
        }

        return path[..end];
    }

    /// <summary>The package that a file at a path belongs to, with the number of the pick and the path inside it; null
    /// for a file that is none's.</summary>
    internal (string Package, int Pick, string Inner)? Place(string path)
    {
        if (PackageAt(path) is not { } package || package.Length == path.Length)
            return null;
        var inner = package.Length == 0 ? path : path[(package.Length + 1)..];
        if (Picks.IsEmpty)
            return (package, 0, inner);
        for (var i = 0; i < Picks.Length; i++)
        {
            if (inner.StartsWith(Picks[i] + "/", StringComparison.Ordinal))
                return (package, i, inner[(Picks[i].Length + 1)..]);
        }

        return null;
    }

    /// <summary>Where the files of a package are.</summary>
    internal string DirectoryOf(string package, int pick) =>
        Picks.IsEmpty ? package : package.Length == 0 ? Picks[pick] : $"{package}/{Picks[pick]}";

    private static bool IsInside(string path) => !path.Split('/').Any(part => part is "." or "..");
}
