using System.Formats.Tar;
using System.Text;
using CsCheck;
using Quarters.Core.Sources;
using ZstdSharp;

namespace Quarters.Core.Tests.Sources;

public sealed class SourceTreeTests
{
    private static readonly TreeLimits Small = new() { MaxFiles = 8, MaxBytes = 1000, MaxPathBytes = 64 };

    private static TreeEntry File(string path, string text = "x") =>
        new(path, TreeEntryKind.File, Encoding.UTF8.GetBytes(text));

    private static TreeEntry Link(string path, string target) =>
        new(path, TreeEntryKind.Symlink, Encoding.UTF8.GetBytes(target));

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("../x")]
    [InlineData("a/../../x")]
    [InlineData("a//b")]
    [InlineData("./a")]
    [InlineData("a/")]
    [InlineData("")]
    [InlineData("a\nb")]
    [InlineData("a\0b")]
    [InlineData("sub/.git/config")]
    [InlineData(".GIT/hooks/x")]
    [InlineData("\uFFFD")]
    public void A_path_that_is_not_plainly_inside_is_refused(string path) =>
        Assert.Throws<SourceTreeException>(() => SourceTree.Create([File(path)], TreeLimits.Default));

    [Theory]
    [InlineData("link", "/etc/passwd")]
    [InlineData("link", "..")]
    [InlineData("a/link", "../../x")]
    [InlineData("a/link", "b/../../x")]
    [InlineData("a/link", "../b/../../x")]
    [InlineData("link", "")]
    [InlineData("link", "./../x")]
    public void A_link_that_leads_out_is_refused(string path, string target) =>
        Assert.Throws<SourceTreeException>(() => SourceTree.Create([Link(path, target)], TreeLimits.Default));

    [Theory]
    [InlineData("link", "file")]
    [InlineData("a/link", "../file")]
    [InlineData("a/b/link", "../../c/d")]
    [InlineData("link", "./a/b")]
    [InlineData("a/link", "..")]
    public void A_link_that_stays_inside_is_kept(string path, string target) =>
        Assert.Single(SourceTree.Create([Link(path, target)], TreeLimits.Default).Entries);

    [Fact]
    public void Nothing_lies_below_a_file_or_a_link_and_nothing_is_there_twice()
    {
        Assert.Throws<SourceTreeException>(() => SourceTree.Create([File("a"), File("a/b")], Small));
        Assert.Throws<SourceTreeException>(() => SourceTree.Create([File("a/b/c"), Link("a", "b")], Small));
        Assert.Throws<SourceTreeException>(() => SourceTree.Create([File("a"), File("a", "y")], Small));
    }

    [Fact]
    public void A_tree_without_a_file_is_none() =>
        Assert.Throws<SourceTreeException>(() => SourceTree.Create([], Small));

    [Fact]
    public void The_limits_hold_at_their_edge()
    {
        Assert.Equal(8, SourceTree.Create(Enumerable.Range(0, 8).Select(i => File($"f{i}")), Small).Entries.Length);
        Assert.Throws<SourceTreeException>(
            () => SourceTree.Create(Enumerable.Range(0, 9).Select(i => File($"f{i}")), Small));
        Assert.Equal(1000, SourceTree.Create([File("f", new string('x', 1000))], Small).Bytes);
        Assert.Throws<SourceTreeException>(() => SourceTree.Create([File("f", new string('x', 1001))], Small));
        Assert.Throws<SourceTreeException>(() => SourceTree.Create([File(new string('f', 65))], Small));
    }

    [Fact]
    public void The_digest_knows_content_path_and_mode_but_not_the_order()
    {
        var trees = new[]
        {
            SourceTree.Create([File("a"), File("b")], Small),
            SourceTree.Create([File("a"), File("b", "y")], Small),
            SourceTree.Create([File("a"), File("c")], Small),
            SourceTree.Create([File("a"), new TreeEntry("b", TreeEntryKind.Executable, "x"u8.ToArray())], Small),
            SourceTree.Create([File("a"), Link("b", "x")], Small),
        };
        Assert.Equal(trees.Length, trees.Select(tree => tree.Sha256).Distinct().Count());
        Assert.Equal(trees[0].Sha256, SourceTree.Create([File("b"), File("a")], Small).Sha256);
    }

    [Fact]
    public void An_archive_holds_the_tree_and_its_bytes_depend_on_nothing_else()
    {
        var name = Gen.String[Gen.Char["abcXYZ0189-_+.@ é♥"], 1, 150].Where(text => text is not ("." or ".."));
        var entry = Gen.Select(
            Gen.Select(name, name, (one, two) => $"{one}/{two}"), Gen.Int[0, 2], Gen.Byte.Array[0, 2000])
            .Select((path, kind, bytes) => kind == 2
                ? new TreeEntry(path, TreeEntryKind.Symlink, Encoding.UTF8.GetBytes($"../target-of-{bytes.Length}"))
                : new TreeEntry(path, (TreeEntryKind)kind, bytes));
        entry.List[1, 20].Sample(entries =>
        {
            var distinct = entries.DistinctBy(one => one.Path)
                .Where(one => !entries.Any(other => one.Path.StartsWith(other.Path + "/", StringComparison.Ordinal)));
            var tree = SourceTree.Create(distinct, TreeLimits.Default);
            var archive = Write(tree);
            var read = SourceArchive.Read(new MemoryStream(archive), TreeLimits.Default);
            Assert.Equal(tree.Sha256, read.Sha256);
            Assert.Equal(archive, Write(read));
        }, iter: 200);
    }

    [Fact]
    public void A_spoiled_archive_is_refused_or_says_the_same_and_never_throws_anything_else()
    {
        var tree = SourceTree.Create(
            [File("PKGBUILD", new string('p', 500)), Link("link", "PKGBUILD"), File("dir/file")], TreeLimits.Default);
        var archive = Write(tree);
        Gen.Select(Gen.Int[0, archive.Length - 1], Gen.Byte, Gen.Int[0, archive.Length]).Sample((at, value, length) =>
        {
            var spoiled = archive[..length];
            if (at < length)
                spoiled[at] = value;
            try
            {
                SourceArchive.Read(new MemoryStream(spoiled), TreeLimits.Default);
            }
            catch (SourceTreeException)
            {
                return;
            }
        }, iter: 5000);
    }

    [Theory]
    [InlineData(TarEntryType.CharacterDevice)]
    [InlineData(TarEntryType.Fifo)]
    [InlineData(TarEntryType.HardLink)]
    public void An_archive_with_anything_but_files_and_links_is_refused(TarEntryType type)
    {
        var entry = new GnuTarEntry(type, "evil");
        if (type == TarEntryType.HardLink)
            entry.LinkName = "/etc/passwd";
        Assert.Throws<SourceTreeException>(() => SourceArchive.Read(Tar(entry), TreeLimits.Default));
    }

    [Theory]
    [InlineData("../evil")]
    [InlineData("/evil")]
    public void An_archive_that_leads_out_is_refused(string path) =>
        Assert.Throws<SourceTreeException>(
            () => SourceArchive.Read(Tar(new GnuTarEntry(TarEntryType.RegularFile, path)), TreeLimits.Default));

    [Fact]
    public void An_archive_that_unpacks_without_end_is_refused_before_it_is_in_memory()
    {
        using var bomb = Tar(
            new GnuTarEntry(TarEntryType.RegularFile, "zeros") { DataStream = new MemoryStream(new byte[200 << 20]) });
        Assert.True(bomb.Length < 1 << 20);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<SourceTreeException>(() => SourceArchive.Read(bomb, Small));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 64 << 20);
    }

    private static byte[] Write(SourceTree tree)
    {
        using var stream = new MemoryStream();
        SourceArchive.Write(tree, stream);
        return stream.ToArray();
    }

    private static MemoryStream Tar(TarEntry entry)
    {
        var stream = new MemoryStream();
        using (var compressed = new CompressionStream(stream, 3, leaveOpen: true))
        using (var writer = new TarWriter(compressed, TarEntryFormat.Gnu, leaveOpen: true))
            writer.WriteEntry(entry);
        stream.Position = 0;
        return stream;
    }
}
