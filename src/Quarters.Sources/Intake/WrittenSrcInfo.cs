using Quarters.Alpm;
using Quarters.Core.Sources;
using Quarters.Sources.Pkgbuilds;

namespace Quarters.Sources.Intake;

/// <summary>What a package's own <c>.SRCINFO</c> counts for.</summary>
public enum SrcInfoPolicy
{
    /// <summary>Nothing: the PKGBUILD is read.</summary>
    Ignore,

    /// <summary>The PKGBUILD is read, and both must say the same.</summary>
    Verify,

    /// <summary>Its word: the PKGBUILD is read only where there is none.</summary>
    Trust,
}

/// <summary>The <c>.SRCINFO</c> that a package's maintainer wrote beside its PKGBUILD.</summary>
internal static class WrittenSrcInfo
{
    private const string Name = ".SRCINFO";
    private const string Remedy = "write it anew: makepkg --printsrcinfo > .SRCINFO";

    private static readonly string[] Relations =
        ["depends", "makedepends", "checkdepends", "provides", "conflicts", "replaces"];

    internal static bool IsIn(SourceTree tree) => tree.Find(Name) is not null;

    /// <summary>Takes its word for the PKGBUILD's. Nobody has looked at it, so that it is checked for what else makepkg
    /// would refuse.</summary>
    internal static PkgbuildReading Read(SourceTree tree)
    {
        try
        {
            var info = SrcInfo.Parse(tree.Find(Name)!.Value.Content.Span);
            foreach (var section in info.Packages.Prepend(info.Base))
            {
                if (info.Architectures(section).Count == 0)
                    throw new AlpmFormatException($"{Name} of {section.Name}", "it has no arch");
                foreach (var architecture in info.Architectures(section))
                {
                    foreach (var field in Relations) info.Relations(section, field, architecture);
                }
            }

            return new PkgbuildReading(info, null);
        }
        catch (AlpmFormatException malformed)
        {
            return new PkgbuildReading(null, $"{malformed.Message}; {Remedy}");
        }
    }

    /// <summary>How it differs from what the PKGBUILD says; null when it does not.</summary>
    internal static string? Difference(SourceTree tree, SrcInfo read)
    {
        if (tree.Find(Name) is not { } written)
            return $"It has no {Name}, and its source is configured to verify it; {Remedy}";
        string there;
        try
        {
            there = SrcInfo.Parse(written.Content.Span).ToText();
        }
        catch (AlpmFormatException malformed)
        {
            return $"{malformed.Message}; {Remedy}";
        }

        var (theirs, ours) = (there.Split('\n'), read.ToText().Split('\n'));
        var at = theirs.Zip(ours).TakeWhile(pair => pair.First == pair.Second).Count();
        if (at == theirs.Length && at == ours.Length) return null;
        return $"Its {Name} says {Line(theirs, at)} where its PKGBUILD says {Line(ours, at)}; {Remedy}";
    }

    private static string Line(string[] lines, int at)
    {
        var line = at < lines.Length ? lines[at].Trim() : "";
        return line.Length == 0 ? "nothing" : $"'{(line.Length > 100 ? line[..100] + "…" : line)}'";
    }
}
