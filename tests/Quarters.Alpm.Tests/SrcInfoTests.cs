using System.Text;
using CsCheck;

namespace Quarters.Alpm.Tests;

public sealed class SrcInfoTests
{
    [Theory]
    [InlineData("split")]
    [InlineData("plain")]
    public async Task The_golden_file_is_what_makepkg_prints(string name)
    {
        using var directory = new Scratch();
        foreach (var file in Directory.GetFiles(Golden(name)))
            File.Copy(file, Path.Combine(directory.Path, Path.GetFileName(file)));
        Assert.Equal(
            await File.ReadAllTextAsync(Path.Combine(Golden(name), ".SRCINFO"), TestContext.Current.CancellationToken),
            await Tool.RunUnprivileged("makepkg", ["--printsrcinfo"], directory));
    }

    [Theory]
    [InlineData("split")]
    [InlineData("plain")]
    public void A_srcinfo_is_written_byte_for_byte_as_makepkg_orders_it(string name)
    {
        var bytes = File.ReadAllBytes(Path.Combine(Golden(name), ".SRCINFO"));
        var info = SrcInfo.Parse(bytes);
        Assert.Equal(Encoding.UTF8.GetString(bytes), info.ToText());
        // The order comes from the writer, not from what was read.
        Gen.Shuffle(info.Base.Fields.ToArray()).Sample(fields =>
            new SrcInfo(new SrcInfoSection(info.Base.Name, fields), info.Packages).ToText() == info.ToText(),
            iter: 100);
    }

    [Fact]
    public void A_package_has_its_own_fields_or_else_those_of_the_base()
    {
        var info = Read("split");
        Assert.Equal("1:2.4.1-3.1", info.Version.ToString());
        Assert.Equal(["lantern", "liblantern", "lantern-docs"], info.Packages.Select(package => package.Name));
        var (lantern, library, docs) = (info.Packages[0], info.Packages[1], info.Packages[2]);

        Assert.Equal("A lamp with strange blanks", info.Value(lantern, "pkgdesc"));
        Assert.Equal("The part that others link", info.Value(library, "pkgdesc"));
        Assert.Null(info.Value(lantern, "install"));
        Assert.Equal("lantern.install", info.Value(library, "install"));

        Assert.Equal(["glibc>=2.30", "libssl.so=3-64", "liblantern=1:2.4.1-3.1", "yasm"],
            info.Values(lantern, "depends", "x86_64"));
        Assert.Equal(["glibc", "neon-tools"], info.Values(library, "depends", "aarch64"));
        Assert.Equal(["glibc"], info.Values(library, "depends", "x86_64"));
        Assert.Empty(info.Values(docs, "depends", "any"));
        Assert.Empty(info.Values(lantern, "provides", "x86_64"));
        Assert.Equal(["lamp=1.0"], info.Values(docs, "provides", "any"));

        Assert.Equal(["any"], info.Architectures(docs));
        Assert.Equal(["x86_64", "aarch64"], info.Architectures(library));
        Assert.Equal(["cmake", "python>=1:3.8-2", "nasm"],
            info.Relations(info.Base, "makedepends", "x86_64").Select(relation => relation.ToString()));
    }

    [Theory]
    [InlineData("", "it has no pkgbase")]
    [InlineData("pkgname = a", "line 1: pkgname stands before pkgbase")]
    [InlineData("pkgver = 1", "line 1: pkgver stands before pkgbase")]
    [InlineData("pkgbase = a\npkgver = 1\npkgrel = 1", "it has no pkgname")]
    [InlineData("pkgbase = a\npkgrel = 1\n\npkgname = a", "the field pkgver is missing")]
    [InlineData("pkgbase = a\npkgver = 1\npkgver = 2", "line 3: pkgver stands there twice")]
    [InlineData("pkgbase = a\npkgver = 1-2\npkgrel = 1\npkgname = a", "colon, slash and hyphen")]
    [InlineData("pkgbase = ../a", "line 1: the name '../a' is refused")]
    [InlineData("pkgbase = a\npkgver = 1\npkgrel = 1\npkgname = a\npkgname = a", "a pkgname stands there twice")]
    [InlineData("pkgbase = a\npkgver = 1\npkgrel = 1\narch = x/y\npkgname = a", "'x/y' is not an architecture")]
    [InlineData("pkgbase = a\npkgver", "line 2: 'pkgver' is not of the form")]
    [InlineData("pkgbase = a\nno field = 1", "line 2: 'no field' is no key")]
    public void A_malformed_srcinfo_is_refused_with_place_and_reason(string text, string reason)
    {
        var error = Assert.Throws<AlpmFormatException>(() => SrcInfo.Parse(Encoding.UTF8.GetBytes(text)));
        Assert.Contains(reason, error.Message);
    }

    [Fact]
    public void Fields_that_makepkg_does_not_know_are_kept_at_the_end_of_their_section()
    {
        const string text = "pkgbase = a\n\tpkgver = 1\n\tpkgrel = 1\n\tarch = any\n"
            + "\tnovelty = 1\n\tnovelty = 2\n\npkgname = a\n";
        Assert.Equal(text, SrcInfo.Parse(Encoding.UTF8.GetBytes(text)).ToText());
    }

    [Fact]
    public void Hostile_bytes_are_read_or_refused_and_nothing_else()
    {
        var golden = File.ReadAllBytes(Path.Combine(Golden("split"), ".SRCINFO"));
        Hostile.Mutations(golden).Sample(bytes => Hostile.ReadsOrRefuses(() =>
        {
            var text = SrcInfo.Parse(bytes).ToText();
            Assert.Equal(text, SrcInfo.Parse(Encoding.UTF8.GetBytes(text)).ToText());
        }));
    }

    private static SrcInfo Read(string name) =>
        SrcInfo.Parse(File.ReadAllBytes(Path.Combine(Golden(name), ".SRCINFO")));

    private static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "Data", name);
}
