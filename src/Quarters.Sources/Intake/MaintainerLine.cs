using System.Text;
using Quarters.Core.Sources;

namespace Quarters.Sources.Intake;

/// <summary>The custom of PKGBUILDs to name who cares for them: <c># Maintainer: Name &lt;address&gt;</c>.</summary>
internal static class MaintainerLine
{
    private const string Label = "maintainer:";

    /// <summary>Who the first such line of a tree's PKGBUILD names; null when there is none with an address.</summary>
    internal static string? Find(SourceTree tree)
    {
        if (tree.Find("PKGBUILD") is not { } pkgbuild)
            return null;
        foreach (var line in Encoding.UTF8.GetString(pkgbuild.Content.Span).EnumerateLines())
        {
            var text = line.Trim();
            if (text.IsEmpty || text[0] != '#')
                continue;
            text = text.TrimStart('#').Trim();
            if (text.StartsWith(Label, StringComparison.OrdinalIgnoreCase) && Packager.Parse(
                text[Label.Length..].ToString()) is { } packager)
                return packager;
        }

        return null;
    }
}
