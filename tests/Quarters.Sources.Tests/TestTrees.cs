using System.Text;
using Quarters.Core.Sources;
using Quarters.Sources.Pkgbuilds;

namespace Quarters.Sources.Tests;

internal static class TestTrees
{
    internal static TreeEntry File(string path, string text) =>
        new(path, TreeEntryKind.File, Encoding.UTF8.GetBytes(text));

    internal static TreeEntry Link(string path, string target) =>
        new(path, TreeEntryKind.Symlink, Encoding.UTF8.GetBytes(target));

    internal static SourceTree Of(params TreeEntry[] entries) => SourceTree.Create(entries, TreeLimits.Default);

    internal static PkgbuildInput Pkgbuild(string name, string text) => new(name, Of(File("PKGBUILD", text)));

    /// <summary>A PKGBUILD without anything special.</summary>
    internal static string Text(string name, string version = "1", string more = "") =>
        $"pkgname={name}\npkgver={version}\npkgrel=1\narch=(any)\n{more}\n";

    /// <summary>The PKGBUILDs beside the tests.</summary>
    internal static SourceTree Sample(string name)
    {
        var directory = SampleDirectory(name);
        return SourceTree.Create(
            Directory.EnumerateFiles(directory).Where(path => Path.GetFileName(path) != ".SRCINFO").Select(path =>
                new TreeEntry(Path.GetFileName(path), TreeEntryKind.File, System.IO.File.ReadAllBytes(path))),
            TreeLimits.Default);
    }

    internal static string SampleDirectory(string name) => Path.Combine(AppContext.BaseDirectory, "Pkgbuilds", name);
}
