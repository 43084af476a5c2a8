using CsCheck;

namespace Quarters.Alpm.Tests;

/// <summary>Databases of which only the touched part is written anew.</summary>
public sealed class SegmentedDatabaseTests
{
    private static readonly SyncReadLimits Limits = new();

    [Fact]
    public void The_bytes_follow_from_the_packages_and_not_from_their_history() => Gen.Select(
        Gen.Int[0, 600], Gen.Select(Gen.Int[0, 999], Gen.Bool).Array[1, 12], Gen.Bool)
        .Sample((count, changes, withFiles) =>
        {
            var packages = Enumerable.Range(0, count).ToDictionary(i => $"p{i}", i => Package($"p{i}", "1-1"));
            var bytes = Write(packages.Values, null, withFiles).Bytes;
            var round = 1;
            foreach (var (number, isRemoved) in changes)
            {
                var name = $"p{number}";
                if (isRemoved) packages.Remove(name);
                else packages[name] = Package(name, $"1-{++round}");
                bytes = Write(packages.Values, bytes, withFiles).Bytes;
            }

            Assert.Equal(Write(packages.Values, null, withFiles).Bytes, bytes);
            Assert.Equal(
                packages.Keys.Order(StringComparer.Ordinal),
                SyncDatabase.Read(new MemoryStream(bytes), Limits).Select(e => e.Name).Order(StringComparer.Ordinal));
        }, iter: 60);

    [Fact]
    public void A_change_touches_one_segment_or_two()
    {
        var packages = Enumerable.Range(0, 5000).ToDictionary(i => $"p{i}", i => Package($"p{i}", "1-1"));
        var (bytes, fresh) = Write(packages.Values, null, withFiles: true);
        Assert.InRange(fresh, 20, 80);
        for (var i = 0; i < 200; i++)
        {
            packages[$"q{i}"] = Package($"q{i}", "1-1");
            packages.Remove($"p{i * 7}");
            (bytes, var touched) = Write(packages.Values, bytes, withFiles: true);
            // One for the package that came, one for that which went: each may begin a segment, or end one.
            Assert.InRange(touched, 1, 4);
        }
    }

    [Fact]
    public void A_segment_is_found_by_a_name_and_read_alone()
    {
        var packages = Enumerable.Range(0, 1000).Select(i => Package($"p{i}", "1-1")).ToList();
        var database = SegmentedDatabase.Open(new MemoryStream(Write(packages, null, withFiles: true).Bytes))!;
        Assert.True(database.Segments.Length > 2);
        foreach (var package in packages)
        {
            var entries = database.Read(database.Find(package.Name)!, Limits);
            var found = Assert.Single(entries, entry => entry.Name == package.Name);
            Assert.Equal(package.Files, found.Files);
        }

        Assert.Null(database.Find("a"));
    }

    [Fact]
    public void All_of_it_is_read_alike_however_many_read_it()
    {
        var packages = Enumerable.Range(0, 1000).Select(i => Package($"p{i}", "1-1")).ToList();
        var bytes = Write(packages, null, withFiles: true).Bytes;
        var expected = SyncDatabase.Read(new MemoryStream(bytes), Limits).ToList();
        Assert.Equal(1000, expected.Count);
        foreach (var parts in new[] { 1, 2, 3, 1000 })
        {
            var database = SegmentedDatabase.OpenToReadAll(new MemoryStream(bytes))!;
            var read = database.ReadAll(Limits, parts, AtOnce);
            Assert.Equal(expected.Select(e => e.DirectoryName), read.Select(e => e.DirectoryName));
            Assert.Equal(expected.Select(e => e.Files), read.Select(e => e.Files));
            Assert.Equal(
                expected.Select(e => new ListedPackage(e.Name, e.Version)), database.List(Limits, parts, AtOnce));
        }

        Assert.Throws<AlpmFormatException>(() => SegmentedDatabase.Open(new MemoryStream(bytes))!
            .ReadAll(new SyncReadLimits { MaxEntries = 999 }, 2, AtOnce));
        Assert.Empty(SegmentedDatabase.Open(new MemoryStream(Write([], null, withFiles: true).Bytes))!
            .ReadAll(Limits, 2, AtOnce));
    }

    [Fact]
    public void What_stands_behind_the_end_of_an_archive_is_refused_since_pacman_would_not_see_it()
    {
        var stored = new List<StoredSegment>();
        using var target = new MemoryStream();
        foreach (var name in new[] { "a", "b" })
        {
            var offset = target.Length;
            SyncDatabase.Write(target, [Package(name, "1-1")], CompressionFormat.Zstandard, withFiles: false);
            var digest = new string('0', 64);
            stored.Add(new StoredSegment(name, digest, digest, offset, (int)(target.Length - offset)));
        }

        target.Write(SegmentTable.End);
        target.Write(SegmentTable.Write(stored));
        Assert.Equal(["a"], SyncDatabase.Read(new MemoryStream(target.ToArray()), Limits).Select(e => e.Name));
        var database = SegmentedDatabase.Open(target)!;
        Assert.Equal(2, database.Segments.Length);
        Assert.Throws<AlpmFormatException>(() => database.ReadAll(Limits, 2, AtOnce));
    }

    [Fact]
    public void What_is_damaged_is_not_copied()
    {
        var packages = Enumerable.Range(0, 1000).Select(i => Package($"p{i}", "1-1")).ToList();
        var good = Write(packages, null, withFiles: false).Bytes;
        var segment = SegmentedDatabase.Open(new MemoryStream(good))!.Segments[1];
        var bad = good.ToArray();
        bad[segment.Offset + 100] ^= 1;
        var damaged = SegmentedDatabase.Open(new MemoryStream(bad))!;
        Assert.Null(damaged.TryCopy(damaged.Segments[1]));
        Assert.Throws<AlpmFormatException>(() => damaged.Read(damaged.Segments[1], Limits));
        var (mended, touched) = Write(packages, bad, withFiles: false);
        Assert.Equal(good, mended);
        Assert.Equal(1, touched);
    }

    [Fact]
    public void A_table_that_is_not_whole_is_no_table()
    {
        var good = Write([Package("a", "1-1"), Package("b", "2-1")], null, withFiles: false).Bytes;
        Assert.NotNull(SegmentedDatabase.Open(new MemoryStream(good)));
        Assert.Null(SegmentedDatabase.Open(new MemoryStream(good[..^1])));
        Assert.Null(SegmentedDatabase.Open(new MemoryStream(good[20..])));
        Assert.Null(SegmentedDatabase.Open(new MemoryStream([])));
        using var plain = new MemoryStream();
        SyncDatabase.Write(plain, [Entries.Of("a", "1-1")], CompressionFormat.Zstandard, withFiles: false);
        Assert.Null(SegmentedDatabase.Open(plain));
        Hostile.Mutations(good).Sample(
            bytes => Hostile.ReadsOrRefuses(() =>
            {
                var database = SegmentedDatabase.Open(new MemoryStream(bytes));
                database?.ReadAll(Limits, 2, AtOnce);
                foreach (var segment in database?.Segments ?? []) database!.Read(segment, Limits);
            }), iter: 3000);
    }

    [Fact]
    public void A_length_in_the_table_that_is_not_as_it_was_written_is_noticed_without_the_digest_too()
    {
        var packages = Enumerable.Range(0, 1000).Select(i => Package($"p{i}", "1-1")).ToList();
        var good = Write(packages, null, withFiles: false).Bytes;
        var table = SegmentTable.Write(SegmentedDatabase.Open(new MemoryStream(good))!.Segments);
        var bad = good.ToArray();
        // Behind the frame's head and the count: the length of the first segment.
        bad[^(table.Length - 12)] ^= 1;
        Assert.Null(SegmentedDatabase.OpenToReadAll(new MemoryStream(bad)));
        Assert.Equal(1000, SyncDatabase.List(new MemoryStream(bad), Limits).Count());
    }

    [Fact]
    public void The_end_of_an_archive_is_one_that_every_reader_of_zstd_reads()
    {
        using var unpacked = Compression.OpenRead(new MemoryStream(SegmentTable.End.ToArray()), "end", 1 << 20);
        using var bytes = new MemoryStream();
        unpacked.CopyTo(bytes);
        Assert.Equal(new byte[SegmentTable.EndLength], bytes.ToArray());
    }

    [Fact]
    public void Entries_of_others_are_not_written_into_a_segment()
    {
        var segment = DatabaseSegment.Cut([new PackageIdentity("a", "a-1-1-any.pkg.tar.zst", "00")])[0];
        var writer = new SegmentedDatabaseWriter(new MemoryStream(), null, withFiles: false);
        Assert.Throws<ArgumentException>(() => writer.Write(segment, [Package("b", "1-1")]));
        Assert.Throws<ArgumentException>(() => DatabaseSegment.Cut([.. segment.Packages, .. segment.Packages]));
    }

    [Fact]
    public async Task Pacman_reads_it_as_it_reads_one_stream()
    {
        using var scratch = new Scratch();
        var packages = Enumerable.Range(0, 700).Select(i => Package($"p{i}", $"1:{i}.2-3")).ToList();
        var printed = new List<string>();
        foreach (var isSegmented in new[] { false, true })
        {
            var folder = isSegmented ? "segmented" : "plain";
            foreach (var (ending, withFiles) in new[] { ("db", false), ("files", true) })
            {
                using var bytes = new MemoryStream();
                if (isSegmented) bytes.Write(Write(packages, null, withFiles).Bytes);
                else SyncDatabase.Write(bytes, packages, CompressionFormat.Gzip, withFiles);
                scratch.Write($"{folder}/sync/test.{ending}", bytes.ToArray());
            }

            var config = scratch.Write("pacman.conf",
                "[options]\nArchitecture = auto\nSigLevel = Never\n[test]\nServer = file:///nowhere\n"u8.ToArray());
            string[] options = ["--config", config, "--dbpath", Path.Combine(scratch.Path, folder)];
            var text = "";
            foreach (var question in new[] { "-Sl", "-Sii", "-Fl" })
                text += await Tool.Run("pacman", [question, .. options]);
            printed.Add(text + await Tool.Run("pacman", ["-F", "usr/share/p7/data", .. options]));
        }

        Assert.Contains("test p699 1:699.2-3", printed[1], StringComparison.Ordinal);
        Assert.Equal(printed[0], printed[1]);
    }

    private static void AtOnce(int count, Action<int> act) => Parallel.For(0, count, act);

    private static SyncEntry Package(string name, string version) => Entries.Of(name, version) with
    {
        Sha256 = $"{name}@{version}",
        Description = $"The package {name}",
        Files = ["usr/", "usr/share/", $"usr/share/{name}/", $"usr/share/{name}/data"],
    };

    /// <summary>Writes as the publisher does; says how many segments were made anew.</summary>
    private static (byte[] Bytes, int Touched) Write(IEnumerable<SyncEntry> entries, byte[]? present, bool withFiles)
    {
        var known = entries.ToDictionary(e => e.Name, StringComparer.Ordinal);
        using var target = new MemoryStream();
        var writer = new SegmentedDatabaseWriter(
            target, present is null ? null : SegmentedDatabase.Open(new MemoryStream(present)), withFiles);
        var touched = 0;
        foreach (var segment in DatabaseSegment.Cut(
            known.Values.Select(e => new PackageIdentity(e.Name, e.FileName, e.Sha256!))))
        {
            if (writer.TryCopy(segment)) continue;
            touched++;
            writer.Write(segment, [.. segment.Packages.Select(p => known[p.Name])]);
        }

        Assert.Equal(writer.Finish(), target.Length);
        return (target.ToArray(), touched);
    }
}
