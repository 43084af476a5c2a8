using System.Text;
using Quarters.Core.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Tests.Intake;

public sealed class ReleaseBumpTests
{
    [Theory]
    [InlineData("pkgrel=1\n", "pkgrel=1.1\n")]
    [InlineData("pkgver=2\npkgrel='3.2'  # again\narch=(any)\n", "pkgver=2\npkgrel='1.1'  # again\narch=(any)\n")]
    [InlineData("# caf\u00e9 pkgrel=7\npkgrel=\"1\"\n", "# caf\u00e9 pkgrel=7\npkgrel=\"1.1\"\n")]
    public void Only_the_line_of_the_release_differs(string before, string after)
    {
        var (tree, diff, problem) = ReleaseBump.Change(Tree(before), "1.1");
        Assert.Null(problem);
        Assert.Equal(after, Encoding.UTF8.GetString(tree!.Find("PKGBUILD")!.Value.Content.Span));
        Assert.Equal(2, diff.Length);
        Assert.Null(tree.Find(".SRCINFO"));
        Assert.NotNull(tree.Find("fix.patch"));
    }

    [Theory]
    [InlineData("pkgrel=$((1+1))\n", "0 lines")]
    [InlineData("pkgrel=1\npkgrel=2\n", "2 lines")]
    [InlineData("pkgname=x\n", "0 lines")]
    public void What_cannot_be_changed_safely_is_said(string pkgbuild, string problem)
    {
        var changed = ReleaseBump.Change(Tree(pkgbuild), "1.1");
        Assert.Null(changed.Tree);
        Assert.Contains(problem, changed.Problem, StringComparison.Ordinal);
    }

    private static SourceTree Tree(string pkgbuild) => SourceTree.Create(
        [
            new TreeEntry("PKGBUILD", TreeEntryKind.File, Encoding.UTF8.GetBytes(pkgbuild)),
            new TreeEntry(".SRCINFO", TreeEntryKind.File, Encoding.UTF8.GetBytes("pkgrel = 1\n")),
            new TreeEntry("fix.patch", TreeEntryKind.File, Encoding.UTF8.GetBytes("+1\n")),
        ], TreeLimits.Default);
}
