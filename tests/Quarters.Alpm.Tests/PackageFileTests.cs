using System.Formats.Tar;
using System.IO.Compression;
using CsCheck;

namespace Quarters.Alpm.Tests;

public sealed class PackageFileTests
{
    private static readonly PackageReadLimits Limits = new();

    [Theory]
    [InlineData("plain", ".pkg.tar")]
    [InlineData("gzip", ".pkg.tar.gz")]
    [InlineData("xz", ".pkg.tar.xz")]
    [InlineData("xz -T2 --block-size=64KiB", ".pkg.tar.xz")]
    [InlineData("zstd", ".pkg.tar.zst")]
    [InlineData("zstd --ultra -20 -T0", ".pkg.tar.zst")]
    public async Task Every_compression_reads_alike(string compressor, string extension)
    {
        using var scratch = new Scratch();
        var package = Archive.Package(
            Archive.Directory("usr/"), Archive.File("usr/noise", string.Concat(Enumerable.Range(0, 50_000))));
        var path = scratch.Write("package", package);
        if (compressor != "plain")
        {
            await Tool.Run("sh", ["-c", $"{compressor} -c < package > package{extension}"], scratch.Path);
            path += extension;
        }
        using var stream = File.OpenRead(path);
        var facts = PackageFile.Read(stream, Limits);
        Assert.Equal(PackageInfoTests.WithoutComments(Archive.Info), facts.Info.ToText());
        Assert.Equal(Archive.Build, facts.Build!.ToText());
        Assert.Equal([".BUILDINFO", ".PKGINFO", "usr", "usr/noise"], facts.Entries.Select(entry => entry.Path));
        Assert.Equal(["usr/", "usr/noise"], facts.Files);
        Assert.Null(facts.FindEscape());
        Assert.Equal(package.Length, facts.UnpackedSize);
    }

    [Fact]
    public void The_metadata_is_read_without_the_rest()
    {
        var bytes = Archive.Package(Archive.File("usr/big", new string('x', 10_000_000)));
        using var stream = new MemoryStream(bytes);
        var (info, build) = PackageFile.ReadInfo(stream, Limits);
        Assert.Equal("lantern", info.Name);
        Assert.Equal("lantern", build!.Name);
        Assert.True(stream.Position < 1_000_000, $"{stream.Position} bytes were read");
    }

    [Fact]
    public void Paths_and_links_of_every_kind_are_listed_as_they_are()
    {
        var deep = string.Join('/', Enumerable.Repeat("a-directory-with-a-long-name", 20)) + "/füle 𝄞";
        var facts = Read(Archive.Package(
            Archive.Directory("usr/"),
            Archive.File(deep, "content"),
            Archive.Link(TarEntryType.SymbolicLink, "usr/link", "../../etc/passwd"),
            Archive.Link(TarEntryType.HardLink, "usr/hard", deep),
            Archive.Entry(new GnuTarEntry(TarEntryType.RegularFile, "gnu/" + deep), "gnu"),
            Archive.Entry(new UstarTarEntry(TarEntryType.RegularFile, $"{new string('p', 120)}/ustar"), "ustar"),
            Archive.Entry(new V7TarEntry(TarEntryType.V7RegularFile, "v7"), "v7")));
        Assert.Equal(
            [
                new PackageEntry("usr", PackageEntryType.Directory, 0x1ED, 0, null),
                new PackageEntry(deep, PackageEntryType.File, 0x1A4, 7, null),
                new PackageEntry("usr/link", PackageEntryType.SymbolicLink, 0x1A4, 0, "../../etc/passwd"),
                new PackageEntry("usr/hard", PackageEntryType.HardLink, 0x1A4, 0, deep),
                new PackageEntry("gnu/" + deep, PackageEntryType.File, 0x1A4, 3, null),
                new PackageEntry($"{new string('p', 120)}/ustar", PackageEntryType.File, 0x1A4, 5, null),
                new PackageEntry("v7", PackageEntryType.File, 0x1A4, 2, null),
            ],
            facts.Entries.Skip(2));
        Assert.Null(facts.FindEscape());
    }

    [Theory]
    [InlineData("/etc/passwd", "is absolute")]
    [InlineData("../etc/passwd", "climbs")]
    [InlineData("usr/../../etc/passwd", "climbs")]
    [InlineData("usr/..", "climbs")]
    [InlineData("usr//x", "empty")]
    [InlineData("./usr", "'.' part")]
    public void A_path_that_leaves_the_root_is_found(string path, string reason)
    {
        Assert.Contains(reason, Read(Archive.Package(Archive.File(path, ""))).FindEscape());
        Assert.Contains(
            reason, Read(Archive.Package(Archive.Link(TarEntryType.HardLink, "usr/link", path))).FindEscape());
        Assert.Null(Read(Archive.Package(Archive.Link(TarEntryType.SymbolicLink, "usr/link", path))).FindEscape());
    }

    [Fact]
    public void A_path_through_the_packages_own_symbolic_link_is_found() =>
        Assert.Contains("symbolic link 'usr/lib'", Read(Archive.Package(
            Archive.Link(TarEntryType.SymbolicLink, "usr/lib", "/etc"), Archive.File("usr/lib/passwd", "")))
                .FindEscape());

    [Fact]
    public void What_two_readers_could_understand_differently_is_refused()
    {
        Refused("'usr/x' stands there twice", Archive.Package(Archive.File("usr/x", "1"), Archive.File("usr/x", "2")));
        Refused("'.PKGINFO' stands there twice", Archive.Package(Archive.File(".PKGINFO", Archive.Info)));
        Refused(".PKGINFO is not a file", Archive.Tar(Archive.Link(TarEntryType.SymbolicLink, ".PKGINFO", "x")));
        Refused("it has no .PKGINFO", Archive.Tar(Archive.File("usr/x", "")));
        Refused("is a device or pipe", Archive.Package(new PaxTarEntry(TarEntryType.Fifo, "pipe")));
        Refused("a global header", Archive.Package(
            new PaxGlobalExtendedAttributesTarEntry(new Dictionary<string, string> { ["path"] = "x" })));
        var link = Archive.Package(Archive.Link(TarEntryType.HardLink, "usr/l", "usr/x"));
        var at = link.AsSpan().LastIndexOf("usr/x"u8) - 157;
        "00000001000"u8.CopyTo(link.AsSpan(at + 124));
        Checksum(link.AsSpan(at, 512));
        Refused("is no file and yet has content", link);
    }

    [Fact]
    public void Limits_hold()
    {
        var package = Archive.Package(Archive.File("usr/long-name", "content"), Archive.File("usr/b", ""));
        Refused("more than 5 entries", package, Limits with { MaxEntries = 5 });
        Refused("a path is longer than 12 bytes", package, Limits with { MaxPathLength = 12 });
        Refused("longer than 30 bytes together", package, Limits with { MaxPathsLength = 30 });
        Refused("more than 4000 bytes", package, Limits with { MaxUnpackedSize = 4000 });
        Refused("'.PKGINFO' is longer than",
            Archive.Tar(Archive.File(".PKGINFO", new string('#', PackageInfo.MaxLength + 1))));
    }

    [Fact]
    public void A_bomb_is_refused_before_it_fills_the_memory()
    {
        using var bomb = new MemoryStream();
        using (var gzip = new GZipStream(bomb, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            var zeros = new byte[1 << 20];
            gzip.Write(Archive.Package(new PaxTarEntry(TarEntryType.Directory, "x")).AsSpan(..^1024));
            for (var i = 0; i < 200; i++) gzip.Write(zeros);
        }
        Refused("unpacks to more than 50000000 bytes", bomb.ToArray(), Limits with { MaxUnpackedSize = 50_000_000 });

        // An extended header that claims two gigabytes costs nothing.
        var claim = Archive.Package(Archive.File(new string('x', 300), ""));
        var at = Enumerable.Range(0, claim.Length / 512).First(block => claim[(block * 512) + 156] == 'x') * 512;
        "17777777777"u8.CopyTo(claim.AsSpan(at + 124));
        Checksum(claim.AsSpan(at, 512));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refused("an extended header is longer than", claim);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 10_000_000);
    }

    [Theory]
    [InlineData("cat")]
    [InlineData("gzip -c")]
    [InlineData("zstd -c --check")]
    [InlineData("xz -c")]
    public async Task A_package_cut_off_anywhere_is_refused(string compressor)
    {
        using var scratch = new Scratch();
        scratch.Write("package", Archive.Package(Archive.File("usr/x", string.Concat(Enumerable.Range(0, 2000)))));
        await Tool.Run("sh", ["-c", $"{compressor} < package > out"], scratch.Path);
        var whole = await File.ReadAllBytesAsync(
            Path.Combine(scratch.Path, "out"), TestContext.Current.CancellationToken);
        Read(whole);
        var longest = compressor switch
        {
            // One block of zeros is an end already; of two, one may be lost.
            "cat" => whole.Length - 1024,
            // .NET takes the end of the file for the end of the data: zeros at the end can be lost unseen.
            "gzip -c" => whole.Length * 9 / 10,
            _ => whole.Length - 1,
        };
        Gen.Int[0, longest].Sample(length =>
            Assert.Throws<AlpmFormatException>(() => Read(whole[..length])), iter: 300);
        Assert.Throws<AlpmFormatException>(() => Read(whole[..longest]));
    }

    [Theory]
    [InlineData("cat")]
    [InlineData("gzip -c")]
    [InlineData("zstd -c --check")]
    [InlineData("xz -c")]
    public async Task Hostile_bytes_are_read_or_refused_and_nothing_else(string compressor)
    {
        using var scratch = new Scratch();
        scratch.Write("package", Archive.Package(
            Archive.Directory("usr/"), Archive.File("usr/" + new string('x', 200), "content"),
            Archive.Link(TarEntryType.HardLink, "usr/hard", "usr/x")));
        await Tool.Run("sh", ["-c", $"{compressor} < package > out"], scratch.Path);
        var whole = await File.ReadAllBytesAsync(
            Path.Combine(scratch.Path, "out"), TestContext.Current.CancellationToken);
        Hostile.Mutations(whole).Sample(bytes => Hostile.ReadsOrRefuses(() => Read(bytes).FindEscape()), iter: 3000);
        Hostile.Mutations(whole).Sample(
            bytes => Hostile.ReadsOrRefuses(() => PackageFile.ReadInfo(new MemoryStream(bytes), Limits)), iter: 1000);
    }

    [Fact]
    public async Task A_dictionary_of_a_gigabyte_is_refused()
    {
        using var scratch = new Scratch();
        scratch.Write("package", Archive.Package());
        await Tool.Run("sh", ["-c", "xz -c --lzma2=dict=64MiB < package > out"], scratch.Path);
        var bytes = await File.ReadAllBytesAsync(
            Path.Combine(scratch.Path, "out"), TestContext.Current.CancellationToken);
        Read(bytes);
        // The stream header is 12 bytes, then the block header: size, flags, filter 0x21, one byte of properties: the
        // dictionary.
        Assert.Equal(0x21, bytes[14]);
        bytes[16] = 37;
        Refused("dictionary of 1610612736 bytes is too large", bytes);
    }

    [Fact]
    public void An_error_of_the_source_is_not_taken_for_a_bad_package()
    {
        using var whole = new MemoryStream();
        using (var gzip = new GZipStream(whole, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(Archive.Package());
        using var broken = new BrokenStream(whole.ToArray()[..100]);
        var error = Assert.Throws<IOException>(() => PackageFile.Read(broken, Limits));
        Assert.Equal("the cable was pulled", error.Message);
    }

    internal static void Checksum(Span<byte> header)
    {
        header.Slice(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var b in header) sum += b;
        System.Text.Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header[148..]);
    }

    private static PackageFacts Read(byte[] package) => PackageFile.Read(new MemoryStream(package), Limits);

    private static void Refused(string reason, byte[] package, PackageReadLimits? limits = null) =>
        Assert.Contains(reason, Assert.Throws<AlpmFormatException>(
            () => PackageFile.Read(new MemoryStream(package), limits ?? Limits)).Message);

    private sealed class BrokenStream(byte[] start) : MemoryStream(start)
    {
        public override int Read(Span<byte> buffer) =>
            base.Read(buffer) is > 0 and var read ? read : throw new IOException("the cable was pulled");
    }
}
