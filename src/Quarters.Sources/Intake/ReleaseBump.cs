using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Sources.Intake;

/// <summary>
/// Makes source packages of which only the release differs, for rebuilds: the line of <c>pkgrel</c> in the PKGBUILD is
/// changed, and the result read by bash like any other, so that what is built says what the rebuild asked for.
/// </summary>
public sealed partial class ReleaseBump(PackageIntake intake, ArchiveStore archives)
{
    private const string Pkgbuild = "PKGBUILD";

    /// <summary>Makes the source package of a rebuild's member, or says why it cannot be made.</summary>
    /// <exception cref="IOException">This machine's disk or tools failed.</exception>
    public async Task<RebuildMember> MakeAsync(BumpWish wish, CancellationToken cancellationToken)
    {
        var source = wish.Source;
        var member = new RebuildMember { Of = source.ArchiveSha256 };
        if (wish.Release is not { } release) return member with { Source = source };
        SourceTree? tree;
        try
        {
            tree = archives.Find(source.ArchiveSha256);
        }
        catch (SourceTreeException damaged)
        {
            return member with { Problem = $"its source package is damaged: {damaged.Message}" };
        }

        if (tree is null) return member with { Problem = "its source package is not kept here any more" };
        var (changed, diff, problem) = Change(tree, release);
        if (changed is null) return member with { Problem = problem };
        var taken = await intake.TakeChangedAsync(source, changed, cancellationToken);
        if (taken.Package is not { } package) return member with { Problem = taken.Problem ?? "it cannot be read" };
        var wanted = Release.With(source.Version, release);
        return package.Version == wanted && package.Pkgbase == source.Pkgbase
            ? member with { Source = package, Diff = diff }
            : member with
            {
                Problem = $"with pkgrel={release} its PKGBUILD says {package.Pkgbase} {package.Version}, and not "
                    + wanted,
            };
    }

    /// <summary>The tree with another release in its PKGBUILD; the lines that differ; or why it cannot be
    /// changed.</summary>
    internal static (SourceTree? Tree, ImmutableArray<string> Diff, string? Problem) Change(
        SourceTree tree, string release)
    {
        if (tree.Find(Pkgbuild) is not { } file) return (null, [], "it has no PKGBUILD");
        // Byte by byte: what else stands in the file stays as it is, in whatever encoding.
        var text = Encoding.Latin1.GetString(file.Content.Span);
        var lines = PkgrelLine().Matches(text);
        if (lines.Count != 1)
            return (null, [], $"its PKGBUILD has {lines.Count} lines that say pkgrel=NUMBER, and must have one");
        var value = lines[0].Groups["value"];
        var line = lines[0].Value;
        var changed = line[..(value.Index - lines[0].Index)] + release
            + line[(value.Index - lines[0].Index + value.Length)..];
        text = text[..lines[0].Index] + changed + text[(lines[0].Index + line.Length)..];
        // A .SRCINFO would say the old release; it is derived, and nobody builds from it.
        var entries = tree.Entries.Where(entry => entry.Path is not (Pkgbuild or ".SRCINFO"))
            .Append(file with { Content = Encoding.Latin1.GetBytes(text) });
        return (SourceTree.Create(entries, TreeLimits.Default), ["-" + line, "+" + changed], null);
    }

    [GeneratedRegex("^pkgrel=(?<quote>[\"']?)(?<value>[0-9]+(\\.[0-9]+)?)\\k<quote>[ \\t]*(#.*)?$",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex PkgrelLine();
}
