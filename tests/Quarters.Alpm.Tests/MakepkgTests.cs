using System.Security.Cryptography;
using System.Text;

namespace Quarters.Alpm.Tests;

/// <summary>A package that the real makepkg built.</summary>
public sealed class MakepkgTests
{
    private const string Name = "odds-and-ends-3:1.0-2-any";

    [Fact]
    public async Task What_makepkg_builds_is_read_and_written_as_it_is()
    {
        using var scratch = new Scratch();
        foreach (var file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Data", "built")))
            scratch.Write(
                Path.GetFileName(file), await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken));
        await Tool.RunUnprivileged(
            "env", ["SOURCE_DATE_EPOCH=1700000000", "PKGEXT=.pkg.tar.zst", "makepkg", "--nodeps"], scratch);
        var package = Path.Combine(scratch.Path, Name + ".pkg.tar.zst");
        await Tool.Run("sh", ["-c", "mkdir out && cd out && bsdtar -xf ../*.pkg.tar.zst .PKGINFO .BUILDINFO .MTREE"],
            scratch.Path);

        PackageFacts facts;
        await using (var stream = File.OpenRead(package)) facts = PackageFile.Read(stream, new PackageReadLimits());
        Assert.Equal(PackageInfoTests.WithoutComments(Text(scratch, ".PKGINFO")), facts.Info.ToText());
        Assert.Equal(Text(scratch, ".BUILDINFO"), facts.Build!.ToText());
        Assert.Equal(Name, $"{facts.Info.Name}-{facts.Info.Version}-{facts.Info.Architecture}");
        Assert.Null(facts.FindEscape());

        IReadOnlyList<MtreeEntry> mtree;
        await using (var stream = File.OpenRead(Path.Combine(scratch.Path, "out", ".MTREE")))
            mtree = Mtree.Read(stream, 1 << 20);
        CompareEntries(facts, mtree);
        Assert.All(mtree, entry => Assert.Equal(1_700_000_000, entry.Time.ToUnixTimeSeconds()));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData("2\n"u8)),
            mtree.Single(entry => entry.Path == "usr/share/odds/two words").Sha256);
        Assert.Equal("../etc/odds conf", mtree.Single(entry => entry.Path == "usr/link").LinkTarget);
        Assert.Equal(0x9ED, mtree.Single(entry => entry.Path == "etc/odds.conf").Mode);
        Assert.Equal(0x3FF, mtree.Single(entry => entry.Path == "var/empty").Mode);
        Assert.Contains(mtree, entry => entry.Path == "usr/share/odds/Ünïcode#\\$");
    }

    [Theory]
    [InlineData("nonsense", "line 1: 'nonsense' is not a path")]
    [InlineData("./a mode=644 time=0.0 size=1", "line 1: the type '' is not file, dir or link")]
    [InlineData("/set type=file\n./a mode=648 time=0.0 size=1", "line 2: the mode is not octal")]
    [InlineData("./a type=file mode=644 time=0.0", "line 1: size is missing")]
    [InlineData("./a type=link mode=644 time=0.0", "line 1: the link points nowhere")]
    [InlineData("./a\\9 type=dir mode=755 time=0.0", "line 1: the path 'a\\9' is not escaped")]
    [InlineData("./a\\377 type=dir mode=755 time=0.0", "line 1: the path 'a\\377' is not UTF-8")]
    public void A_malformed_mtree_is_refused_with_place_and_reason(string text, string reason)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Assert.Contains(
            reason, Assert.Throws<AlpmFormatException>(() => Mtree.Read(new MemoryStream(bytes), 1000)).Message);
    }

    [Fact]
    public void Hostile_bytes_are_read_or_refused_and_nothing_else()
    {
        var valid =
            "#mtree\n/set type=file uid=0 mode=644\n./a\\040b time=1.0 size=3 sha256digest=00\n"u8
            + "/unset mode\n./l time=1.0 mode=777 type=link link=x\n"u8;
        CsCheck.Check.Sample(Hostile.Mutations(valid.ToArray()), bytes => Hostile.ReadsOrRefuses(
            () => Assert.All(Mtree.Read(new MemoryStream(bytes), 1000), entry =>
                Assert.InRange(entry.Mode, 0, 0xFFF))), iter: 5000);
    }

    /// <summary>Two listings of the same tree by different programs: hard links are files to mtree.</summary>
    private static void CompareEntries(PackageFacts facts, IReadOnlyList<MtreeEntry> mtree)
    {
        var sizes = facts.Entries.ToDictionary(entry => entry.Path, entry => entry.Size, StringComparer.Ordinal);
        Assert.Equal(
            facts.Entries.Where(entry => entry.Path != ".MTREE").Select(entry => entry.Type == PackageEntryType.HardLink
                ? (entry.Path, PackageEntryType.File, entry.Mode, sizes[entry.LinkTarget!])
                : (entry.Path, entry.Type, entry.Mode, entry.Size)).Order(),
            mtree.Select(entry => (entry.Path, entry.Type, entry.Mode, entry.Size)).Order());
    }

    private static string Text(Scratch scratch, string name) =>
        File.ReadAllText(Path.Combine(scratch.Path, "out", name));
}
