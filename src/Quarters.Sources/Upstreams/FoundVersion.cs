using System.Text;
using System.Text.RegularExpressions;
using Quarters.Core.Sources;

namespace Quarters.Sources.Upstreams;

/// <summary>
/// Writes into a PKGBUILD what was found upstream: the version, as makepkg does after it ran <c>pkgver()</c>, and the
/// commits that it is of, so that what is built is what was asked for, whenever that is.
/// </summary>
internal static partial class FoundVersion
{
    private const string Pkgbuild = "PKGBUILD";

    /// <summary>True when a PKGBUILD seems to have a <c>pkgver()</c>: bash says for certain.</summary>
    internal static bool IsAskedFor(SourceTree tree) =>
        tree.Find(Pkgbuild) is { } file && Function().IsMatch(Encoding.Latin1.GetString(file.Content.Span));

    /// <summary>The changed tree; null when no line says the version.</summary>
    internal static SourceTree? Write(
        SourceTree tree, string version, string before, IEnumerable<(UpstreamSource Source, string Commit)> commits)
    {
        var file = tree.Find(Pkgbuild)!.Value;
        // Byte by byte: what else stands in the file stays as it is, in whatever encoding.
        var text = Encoding.Latin1.GetString(file.Content.Span);
        if (version != before)
        {
            if (!VersionLine().IsMatch(text))
                return null;
            text = VersionLine().Replace(text, "pkgver=" + version);
            text = ReleaseLine().Replace(text, "pkgrel=1");
        }

        var pins = commits.Select(
            one => $"{one.Source.Array}[{one.Source.Index}]={Quote(one.Source.At(one.Commit))}\n");
        text = $"{text.TrimEnd('\n')}\n\n# Where its version was found:\n{string.Concat(pins)}";
        var entries = tree.Entries.Where(entry => entry.Path is not (Pkgbuild or ".SRCINFO"))
            .Append(file with { Content = Encoding.Latin1.GetBytes(text) });
        return SourceTree.Create(entries, TreeLimits.Default);
    }

    private static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    [GeneratedRegex(@"^[ \t]*(?:function[ \t]+pkgver\b|pkgver[ \t]*\([ \t]*\))",
        RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Function();

    // As makepkg replaces it.
    [GeneratedRegex("^pkgver=[^ \n]*", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex VersionLine();

    [GeneratedRegex("^pkgrel=[^ \n]*", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex ReleaseLine();
}
