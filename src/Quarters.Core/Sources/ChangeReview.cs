using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Quarters.Alpm;

namespace Quarters.Core.Sources;

/// <summary>Which changes of a source wait until an operator has accepted them.</summary>
public enum ReviewPolicy
{
    /// <summary>None.</summary>
    Off,

    /// <summary>Changes of packages that were built before, as far as they are more than a version and its
    /// checksums.</summary>
    Changes,

    /// <summary>These, and packages that are new.</summary>
    All,
}

/// <summary>A package to be looked at: its files, and what its PKGBUILD says.</summary>
public sealed record ReviewedPackage(SourceTree Tree, SrcInfo Info);

/// <summary>
/// What of a change a person should see before it is built. A change that only raises the version, and replaces
/// checksums by others, passes; the rules are strict, so that nothing hides in what is passed over.
/// </summary>
public static partial class ChangeReview
{
    private const string Sums = "(?:ck|md5|sha1|sha224|sha256|sha384|sha512|b2)sums";
    private const int MaxFindings = 20;
    private const int MaxShown = 200;

    // None is needed for these, whose cost grows with the text; and without one the process is asked for its default.
    private const int NoLimit = -1;

    private static readonly string[] VersionFields = ["pkgver", "pkgrel", "epoch"];

    /// <summary>What should be seen, a sentence each without its stop; none when the change may pass.</summary>
    /// <param name="accepted">What was accepted last; null when nothing was.</param>
    /// <param name="offered">What the source has now.</param>
    /// <param name="policy">What is reviewed.</param>
    public static ImmutableArray<string> Findings(
        ReviewedPackage? accepted, ReviewedPackage offered, ReviewPolicy policy)
    {
        if (policy == ReviewPolicy.Off || accepted?.Tree.Sha256 == offered.Tree.Sha256) return [];
        if (accepted is null) return policy == ReviewPolicy.All ? ["it is new here"] : [];
        var found = InstallScripts(accepted, offered).Concat(Hosts(accepted, offered)).Concat(Skips(accepted, offered))
            .Concat(Files(accepted, offered)).Distinct(StringComparer.Ordinal).ToList();
        return found.Count <= MaxFindings
            ? [.. found]
            : [.. found.Take(MaxFindings), $"and {found.Count - MaxFindings} more"];
    }

    private static IEnumerable<string> InstallScripts(ReviewedPackage accepted, ReviewedPackage offered)
    {
        var names = Scripts(accepted).Union(Scripts(offered), StringComparer.Ordinal)
            .Order(StringComparer.Ordinal).ToList();
        foreach (var name in names)
        {
            var before = Scripts(accepted).Contains(name) ? accepted.Tree.Find(name) : null;
            var now = Scripts(offered).Contains(name) ? offered.Tree.Find(name) : null;
            if (!Same(before, now)) yield return $"the install script {Show(name)} {What(before, now)}";
        }
    }

    private static HashSet<string> Scripts(ReviewedPackage package) => package.Info.Packages
        .Select(output => package.Info.Value(output, "install")).OfType<string>().ToHashSet(StringComparer.Ordinal);

    private static IEnumerable<string> Hosts(ReviewedPackage accepted, ReviewedPackage offered) =>
        HostsOf(offered).Except(HostsOf(accepted), StringComparer.OrdinalIgnoreCase)
            .Select(host => $"sources come from {Show(host)}, from where none came before");

    private static IEnumerable<string> HostsOf(ReviewedPackage package) =>
        from field in package.Info.Base.Fields
        where field.Key == "source" || field.Key.StartsWith("source_", StringComparison.Ordinal)
        from entry in field.Value
        let address = entry[(entry.IndexOf("::", StringComparison.Ordinal) is >= 0 and var at ? at + 2 : 0)..]
        where address.Contains("://", StringComparison.Ordinal)
        let end = address.IndexOf('/', address.IndexOf("://", StringComparison.Ordinal) + 3)
        select end < 0 ? address : address[..end];

    private static IEnumerable<string> Skips(ReviewedPackage accepted, ReviewedPackage offered)
    {
        foreach (var (field, sums) in offered.Info.Base.Fields)
        {
            if (!SumsField().IsMatch(field)) continue;
            var before = accepted.Info.Base.Values(field).Count(sum => sum == "SKIP");
            if (sums.Count(sum => sum == "SKIP") > before)
                yield return $"{field} does not check a file any more (SKIP)";
        }
    }

    /// <summary>Everything else: whatever differs when versions and checksums are left out of the PKGBUILD, and every
    /// other file.</summary>
    private static IEnumerable<string> Files(ReviewedPackage accepted, ReviewedPackage offered)
    {
        if (Text(accepted) != Text(offered))
            yield return "the PKGBUILD changed in more than version and checksums";
        else if (Facts(accepted) != Facts(offered))
            yield return "what the PKGBUILD says changed in more than version and checksums";
        var paths = accepted.Tree.Entries.Concat(offered.Tree.Entries).Select(entry => entry.Path)
            .Where(path => path is not ("PKGBUILD" or ".SRCINFO"))
            .Except(Scripts(accepted).Union(Scripts(offered)), StringComparer.Ordinal)
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            var (before, now) = (accepted.Tree.Find(path), offered.Tree.Find(path));
            if (!Same(before, now)) yield return $"the file {Show(path)} {What(before, now)}";
        }
    }

    private static string Text(ReviewedPackage package)
    {
        var pkgbuild = package.Tree.Find("PKGBUILD");
        var text = pkgbuild is { } entry ? $"{entry.Kind}\n{Encoding.UTF8.GetString(entry.Content.Span)}" : "";
        text = Commit().Replace(VersionLine().Replace(text, "${name}=…"), "#…");
        return SumsArray().Replace(text, array => Sum().Replace(array.Value, "…"));
    }

    /// <summary>What a version that is part of other values (an address, a provision) makes of them is no
    /// change.</summary>
    private static string Facts(ReviewedPackage package)
    {
        var info = package.Info;
        var version = info.Base.Value("pkgver")!;
        var text = new StringBuilder();
        foreach (var section in info.Packages.Prepend(info.Base))
        {
            text.Append('[').Append(section.Name).Append("]\n");
            foreach (var (field, values) in section.Fields)
            {
                if (VersionFields.Contains(field) || SumsField().IsMatch(field)) continue;
                foreach (var value in values)
                    text.Append(field).Append('=').Append(Unversioned(value, info, version)).Append('\n');
            }
        }

        return text.ToString();
    }

    private static string Unversioned(string value, SrcInfo info, string version) => Commit()
        .Replace(value, "#…")
        .Replace(info.Version.ToString(), "…", StringComparison.Ordinal)
        .Replace(version, "…", StringComparison.Ordinal);

    private static bool Same(TreeEntry? before, TreeEntry? now) => before is { } one && now is { } other
        ? one.Kind == other.Kind && one.Content.Span.SequenceEqual(other.Content.Span)
        : before is null && now is null;

    private static string What(TreeEntry? before, TreeEntry? now) =>
        before is null ? "is new" : now is null ? "is gone" : "changed";

    private static string Show(string text)
    {
        var shown = new string([.. text.Take(MaxShown).Select(c => char.IsControl(c) ? '?' : c)]);
        return text.Length > MaxShown ? shown + "…" : shown;
    }

    // Plain words only: a version that is computed is code.
    [GeneratedRegex(
        """^(?<name>pkgver|pkgrel|epoch)=(?:[A-Za-z0-9._+:]*|'[A-Za-z0-9._+:]*'|"[A-Za-z0-9._+:]*")[ \t]*$""",
        RegexOptions.Multiline | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, NoLimit)]
    private static partial Regex VersionLine();

    // Nothing but checksums and quotes may stand between the brackets, or somebody could hide a command there.
    [GeneratedRegex("^" + Sums + """(?:_[a-z0-9_]+)?=\((?:[\s'"]|[0-9a-fA-F]|SKIP)*\)""",
        RegexOptions.Multiline | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
            | RegexOptions.ExplicitCapture, NoLimit)]
    private static partial Regex SumsArray();

    // A commit is to a repository what a checksum is to a file. A branch or a tag is none: it may move.
    [GeneratedRegex("#(commit=[0-9a-f]{40,64}|revision=([0-9a-f]{40}|[0-9]{1,10}))(?=['\"\\s)]|$)",
        RegexOptions.Multiline | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, NoLimit)]
    private static partial Regex Commit();

    // What is left says how many there are, and which are not checked.
    [GeneratedRegex(
        "[0-9a-fA-F]{8,128}(?=['\"\\s)])", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, NoLimit)]
    private static partial Regex Sum();

    [GeneratedRegex(
        "^" + Sums + "(?:_[a-z0-9_]+)?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, NoLimit)]
    private static partial Regex SumsField();
}
