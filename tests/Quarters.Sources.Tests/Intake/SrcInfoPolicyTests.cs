using System.Collections.Immutable;
using Quarters.Core.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Tests.Intake;

/// <summary>What a .SRCINFO beside a PKGBUILD counts for. The PKGBUILD of these says version 2.</summary>
public sealed class SrcInfoPolicyTests : IDisposable
{
    private readonly Workshop _workshop = new();

    [Fact]
    public async Task Without_a_word_on_it_the_PKGBUILD_alone_counts()
    {
        var taken = await TakeAsync(SrcInfoPolicy.Ignore, Written("1"));
        Assert.Equal("2-1", taken.Package?.Version);
        Assert.True(taken.Parsed);
    }

    [Fact]
    public async Task One_that_is_trusted_is_taken_and_bash_reads_nothing_and_others_do_not_come_to_trust_it()
    {
        var taken = await TakeAsync(SrcInfoPolicy.Trust, Written("1"));
        Assert.Equal("1-1", taken.Package?.Version);
        Assert.False(taken.Parsed);
        Assert.Equal(0, _workshop.Reader.Read);
        // The same tree, remembered from then.
        Assert.Equal("1-1", (await TakeAsync(SrcInfoPolicy.Trust, Written("1"))).Package?.Version);
        Assert.Equal("2-1", (await TakeAsync(SrcInfoPolicy.Ignore, Written("1"))).Package?.Version);
    }

    [Fact]
    public async Task Where_there_is_none_to_trust_the_PKGBUILD_is_read()
    {
        var taken = await TakeAsync(SrcInfoPolicy.Trust, null);
        Assert.Equal("2-1", taken.Package?.Version);
        Assert.True(taken.Parsed);
    }

    [Theory]
    [InlineData("pkgbase = zlib\n\tpkgver = 1\n\tpkgrel = 1\n\npkgname = zlib\n", "it has no arch")]
    [InlineData("pkgbase = zlib\n\tpkgver = 1\n\tpkgrel = 1\n\tarch = any\n\tdepends = a b\n\npkgname = zlib\n", "a b")]
    [InlineData("pkgname = zlib\n", "pkgname stands before pkgbase")]
    public async Task Trust_has_its_bounds(string written, string problem)
    {
        var taken = await TakeAsync(SrcInfoPolicy.Trust, written);
        Assert.Null(taken.Package);
        Assert.Contains(problem, taken.Problem, StringComparison.Ordinal);
        Assert.EndsWith("write it anew: makepkg --printsrcinfo > .SRCINFO", taken.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_is_verified_must_say_the_same_also_when_the_PKGBUILD_is_known_already()
    {
        Assert.Equal("2-1", (await TakeAsync(SrcInfoPolicy.Verify, Written("2"))).Package?.Version);
        Assert.Equal("2-1", (await TakeAsync(SrcInfoPolicy.Ignore, Written("1"))).Package?.Version);
        var taken = await TakeAsync(SrcInfoPolicy.Verify, Written("1"));
        Assert.Null(taken.Package);
        Assert.Equal(
            "Its .SRCINFO says 'pkgver = 1' where its PKGBUILD says 'pkgver = 2'; write it anew: "
                + "makepkg --printsrcinfo > .SRCINFO", taken.Problem);
        var missing = await TakeAsync(SrcInfoPolicy.Verify, null);
        Assert.StartsWith("It has no .SRCINFO", missing.Problem, StringComparison.Ordinal);
    }

    public void Dispose() => _workshop.Dispose();

    private static string Written(string version) =>
        $"pkgbase = zlib\n\tpkgver = {version}\n\tpkgrel = 1\n\tarch = any\n\npkgname = zlib\n";

    private async Task<Taken> TakeAsync(SrcInfoPolicy policy, string? written)
    {
        ImmutableArray<TreeEntry> files =
            [TestTrees.File("PKGBUILD", "pkgname=zlib\npkgver=2\npkgrel=1\narch=(any)\npackage() { :; }\n")];
        if (written is not null) files = files.Add(TestTrees.File(".SRCINFO", written));
        var intake = new PackageIntake(
            _workshop.Reader, new TreeCache(_workshop.Files["cache"], 100), _workshop.Archives)
        { SrcInfo = policy };
        var candidate = new Candidate
        {
            Path = "zlib",
            Tree = TestTrees.Of([.. files]),
            Revision = "1",
            Time = DateTimeOffset.UnixEpoch,
            Packager = "Jane Dev <jane@example.org>",
        };
        var taken = await intake.TakeAsync(
            new SourceIdentity("test", "git", "https://example.org/packages.git", "core"), [candidate],
            TestContext.Current.CancellationToken);
        return Assert.Single(taken);
    }
}
