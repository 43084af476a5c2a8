using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CsCheck;

namespace Quarters.Alpm.Tests;

public sealed class SyncDatabaseTests
{
    private static readonly SyncReadLimits Limits = new();

    [Fact]
    public async Task A_database_is_what_repo_add_makes_of_the_same_packages()
    {
        using var scratch = new Scratch();
        var packages = await WritePackages(scratch);
        await Tool.Run("repo-add", ["-q", "test.db.tar.gz", .. packages.Select(Path.GetFileName)!], scratch.Path);

        var entries = new List<SyncEntry>();
        foreach (var package in packages)
        {
            await using var stream = File.OpenRead(package);
            var facts = PackageFile.Read(stream, new PackageReadLimits());
            var bytes = await File.ReadAllBytesAsync(package, TestContext.Current.CancellationToken);
            entries.Add(SyncEntry.FromPackage(
                facts.Info, Path.GetFileName(package), bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)),
                    facts.Files) with
            {
                // repo-add of this pacman still writes it; we never do unasked.
#pragma warning disable CA5351
                Md5 = Convert.ToHexStringLower(MD5.HashData(bytes)),
#pragma warning restore CA5351
            });
        }

        foreach (var (name, withFiles) in new[] { ("test.db.tar.gz", false), ("test.files.tar.gz", true) })
        {
            var theirs = await File.ReadAllBytesAsync(
                Path.Combine(scratch.Path, name), TestContext.Current.CancellationToken);
            var expected = Archive.Files(new MemoryStream(Unpack(theirs)));
            Assert.Equal(expected.OrderBy(file => file.Key, StringComparer.Ordinal),
                Files(Write(entries, CompressionFormat.None, withFiles)));
            // And what they wrote, read and written by us, is the same again.
            var read = SyncDatabase.Read(new MemoryStream(theirs), Limits).ToList();
            Assert.Equal(expected.OrderBy(file => file.Key, StringComparer.Ordinal),
                Files(Write(read, CompressionFormat.None, withFiles)));
        }
    }

    [Theory]
    [InlineData(CompressionFormat.Gzip)]
    [InlineData(CompressionFormat.Zstandard)]
    [InlineData(CompressionFormat.None)]
    public async Task Pacman_reads_what_was_written(CompressionFormat format)
    {
        using var scratch = new Scratch();
        var entries = Entries.Single.Array[30].Single(_ => true, seed: "0N0XIzNsQ0O2").DistinctBy(entry => entry.Name)
            .ToArray();
        scratch.Write("db/sync/test.db", Write(entries, format, withFiles: false));
        scratch.Write("db/sync/test.files", Write(entries, format, withFiles: true));
        var config = scratch.Write("pacman.conf",
            "[options]\nArchitecture = auto\nSigLevel = Never\n[test]\nServer = file:///nowhere\n"u8.ToArray());
        string[] options = ["--config", config, "--dbpath", Path.Combine(scratch.Path, "db")];

        var list = await Tool.Run("pacman", ["-Sl", .. options]);
        Assert.Equal(
            entries.Select(entry => $"test {entry.Name} {entry.Version}").Order(StringComparer.Ordinal),
            list.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));

        var info = ParseInfo(await Tool.Run("pacman", ["-Sii", .. options]));
        foreach (var entry in entries)
        {
            var shown = info[entry.Name];
            Assert.Equal(entry.Version.ToString(), shown["Version"]);
            Assert.Equal(entry.Description.Length == 0 ? "None" : entry.Description, shown["Description"]);
            Assert.Equal(entry.Architecture, shown["Architecture"]);
            Assert.Equal(entry.Url, shown["URL"]);
            Assert.Equal(entry.Packager, shown["Packager"]);
            Assert.Equal(entry.Sha256, shown["SHA-256 Sum"]);
            Assert.Equal(Shown(entry.Licenses), shown["Licenses"]);
            Assert.Equal(Shown(entry.Groups), shown["Groups"]);
            Assert.Equal(Shown(entry.Provides), shown["Provides"]);
            Assert.Equal(Shown(entry.Depends), shown["Depends On"]);
            Assert.Equal(Shown(entry.Conflicts), shown["Conflicts With"]);
            Assert.Equal(Shown(entry.Replaces), shown["Replaces"]);
        }

        var files = await Tool.Run("pacman", ["-Fl", .. options]);
        Assert.Equal(
            entries.SelectMany(entry => entry.Files!.Select(file => $"{entry.Name} {file}"))
                .Order(StringComparer.Ordinal),
            files.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Entries_survive_being_written_and_read() => Gen.Select(Entries.Single.Array[0, 8], Any.Of(
        CompressionFormat.None, CompressionFormat.Gzip, CompressionFormat.Zstandard), Gen.Bool)
            .Sample((any, format, withFiles) =>
    {
        var entries = any.DistinctBy(entry => entry.DirectoryName).ToArray();
        var bytes = Write(entries, format, withFiles);
        var read = SyncDatabase.Read(new MemoryStream(bytes), Limits).ToList();
        Assert.Equal(
            entries.Select(entry => entry.DirectoryName).Order(StringComparer.Ordinal),
            read.Select(entry => entry.DirectoryName));
        Assert.All(read, entry => Assert.Equal(withFiles, entry.Files is not null));
        Assert.Equal(
            read.Select(entry => new ListedPackage(entry.Name, entry.Version)),
            SyncDatabase.List(new MemoryStream(bytes), Limits));
        Assert.Equal(bytes, Write(read, format, withFiles));
        // The order of the input is nobody's business.
        Assert.Equal(bytes, Write(entries.Reverse(), format, withFiles));
    }, iter: 100);

    [Fact]
    public void A_name_too_long_for_a_tar_header_is_written_all_the_same()
    {
        var entry = Entries.Of(new string('n', 120), $"1.{new string('2', 100)}-1");
        var bytes = Write([entry], CompressionFormat.None, withFiles: true);
        Assert.Equal(
            entry.DirectoryName, Assert.Single(SyncDatabase.Read(new MemoryStream(bytes), Limits)).DirectoryName);
        Assert.Equal([entry.DirectoryName + "/", entry.DirectoryName + "/desc", entry.DirectoryName + "/files"],
            Archive.Files(new MemoryStream(bytes)).Keys);
    }

    [Fact]
    public void An_empty_database_is_read_and_written() =>
        Assert.Empty(SyncDatabase.Read(new MemoryStream(Write([], CompressionFormat.Gzip, withFiles: false)), Limits));

    [Fact]
    public void The_writer_keeps_the_order_and_what_a_value_could_break()
    {
        using var target = new MemoryStream();
        using var writer = new SyncDatabaseWriter(target, CompressionFormat.None, withFiles: false);
        writer.Write(Entries.Of("b", "1-1"));
        Assert.Throws<ArgumentException>(() => writer.Write(Entries.Of("a", "1-1")));
        Assert.Throws<ArgumentException>(() => writer.Write(Entries.Of("b", "1-1")));
        var good = Entries.Of("c", "1-1");
        Assert.Throws<AlpmFormatException>(() => writer.Write(good with { Description = "one\n\n%DEPENDS%\nevil" }));
        Assert.Throws<AlpmFormatException>(() => writer.Write(good with { Licenses = [""] }));
        Assert.Throws<AlpmFormatException>(() => writer.Write(good with { FileName = "../c-1-1-any.pkg.tar" }));
        writer.Write(good);
        writer.Finish();
        writer.Dispose();
        target.Position = 0;
        Assert.Equal(["b", "c"], SyncDatabase.Read(target, Limits).Select(entry => entry.Name));
    }

    [Theory]
    [InlineData("a-1-1/desc", "%NAME%\na\n", "there is no %FILENAME%")]
    [InlineData("a-1-1/desc", "NAME\na\n", "a section was expected, and there is 'NAME'")]
    [InlineData("a-1-1/desc", "%FILENAME%\nf\n\n%NAME%\na\n\n%VERSION%\n1\n", "'1' is not a version")]
    [InlineData("a-1-1/desc", "%FILENAME%\nf\n\n%NAME%\n../a\n\n%VERSION%\n1-1\n", "the name '../a' is refused")]
    [InlineData("a-1-1/desc", "%FILENAME%\n../f\n\n%NAME%\na\n\n%VERSION%\n1-1\n", "'../f' is not the name of a file")]
    [InlineData("a-1-1/desc", "%FILENAME%\nf\n\n%NAME%\nb\n\n%VERSION%\n1-1\n\n%ARCH%\nany\n",
        "the desc is of 'b-1-1'")]
    [InlineData("a-1-1/desc", "%CSIZE%\nbig\n", "CSIZE 'big' is not a number")]
    [InlineData("a-1-1/desc", "%DEPENDS%\na b\n", "DEPENDS 'a b' is refused")]
    [InlineData("a-1-1/files", "%FILES%\nusr/\n", "there is no desc")]
    public void A_malformed_entry_is_refused_with_place_and_reason(string path, string content, string reason)
    {
        var database = Archive.Tar(Archive.File(path, content));
        var error = Assert.Throws<AlpmFormatException>(() =>
            SyncDatabase.Read(new MemoryStream(database), Limits).ToList());
        Assert.Equal("database entry 'a-1-1'", error.Where);
        Assert.Contains(reason, error.Message);
    }

    [Fact]
    public void Relations_are_checked_when_the_database_is_read_and_are_what_their_lines_say() =>
        Any.Text("ab1.:- <>=\té", 1, 8).Array[0, 4].Sample(lines =>
    {
        var desc = "%FILENAME%\na-1-1-any.pkg.tar.xz\n\n%NAME%\na\n\n%VERSION%\n1-1\n\n%ARCH%\nany\n\n"
            + $"%DEPENDS%\n{string.Join('\n', lines)}";
        foreach (var end in new[] { "", "\n", "\n\n%CONFLICTS%\nb\n" })
        {
            using var database = new MemoryStream(Archive.Tar(Archive.File("a-1-1/desc", desc + end)));
            if (!lines.All(line => Relation.TryParse(line, out _)))
            {
                Assert.Throws<AlpmFormatException>(() => SyncDatabase.Read(database, Limits).ToList());
                continue;
            }

            var entry = Assert.Single(SyncDatabase.Read(database, Limits));
            Assert.Equal(lines.Select(Relation.Parse), entry.Depends);
            Assert.Equal(lines.Length, entry.Depends.Count);
            Assert.Equal(end.Contains('b') ? ["b"] : [], entry.Conflicts.Select(relation => relation.Name));
        }
    }, iter: 2000);

    [Fact]
    public void Sections_and_files_that_pacman_skips_are_skipped()
    {
        const string desc = "%FILENAME%\na-1-1-any.pkg.tar.xz\n\n%NAME%\na\n\n"
            + "%NOVELTY%\n1\n2\n\n%VERSION%\n1-1\n\n%ARCH%\nany\n\n";
        var database = Archive.Tar(
            Archive.File("about", "x"), Archive.File("a-1-1/depends", "%DEPENDS%\nb\n"),
            Archive.File("a-1-1/desc", desc));
        var entry = Assert.Single(SyncDatabase.Read(new MemoryStream(database), Limits));
        Assert.Equal(("a", "a", "1-1", null), (entry.Name, entry.Base, entry.Version.ToString(), entry.Sha256));
        var listed = Assert.Single(SyncDatabase.List(new MemoryStream(database), Limits));
        Assert.Equal(new ListedPackage("a", entry.Version), listed);
    }

    [Theory]
    [InlineData("%NAME%\na\n", "there is no %VERSION%")]
    [InlineData("%VERSION%\n1-1\n", "there is no %NAME%")]
    [InlineData("NAME\na\n", "a section was expected, and there is 'NAME'")]
    [InlineData("%NAME%\na\n\n%VERSION%\n1\n", "'1' is not a version")]
    [InlineData("%NAME%\n../a\n\n%VERSION%\n1-1\n", "the name '../a' is refused")]
    [InlineData("%DESC%\n%NAME%\n\n%NAME%\nb\n\n%VERSION%\n1-1\n", "the desc is of 'b-1-1'")]
    public void A_list_does_not_name_what_is_not_there(string desc, string reason)
    {
        var database = Archive.Tar(Archive.File("a-1-1/desc", desc));
        var error = Assert.Throws<AlpmFormatException>(() =>
            SyncDatabase.List(new MemoryStream(database), Limits).ToList());
        Assert.Equal("database entry 'a-1-1'", error.Where);
        Assert.Contains(reason, error.Message);
    }

    [Fact]
    public void Hostile_bytes_are_read_or_refused_and_nothing_else()
    {
        var entries = Entries.Single.Array[4].Single(_ => true, seed: "0N0XIzNsQ0O2")
            .DistinctBy(entry => entry.DirectoryName).ToArray();
        foreach (var format in new[] { CompressionFormat.None, CompressionFormat.Gzip, CompressionFormat.Zstandard })
        {
            Hostile.Mutations(Write(entries, format, withFiles: true)).Sample(
                bytes => Hostile.ReadsOrRefuses(() => Assert.All(
                    SyncDatabase.Read(new MemoryStream(bytes), Limits), entry =>
                        Assert.True(PackageName.IsValid(entry.Name)))), iter: 3000);
            Hostile.Mutations(Write(entries, format, withFiles: true)).Sample(
                bytes => Hostile.ReadsOrRefuses(() => Assert.All(
                    SyncDatabase.List(new MemoryStream(bytes), Limits), package =>
                        Assert.True(PackageName.IsValid(package.Name)))), iter: 1000);
        }
    }

    private static byte[] Write(IEnumerable<SyncEntry> entries, CompressionFormat format, bool withFiles)
    {
        using var target = new MemoryStream();
        SyncDatabase.Write(target, entries, format, withFiles);
        return target.ToArray();
    }

    private static IEnumerable<KeyValuePair<string, string>> Files(byte[] tar) =>
        Archive.Files(new MemoryStream(tar)).OrderBy(file => file.Key, StringComparer.Ordinal);

    private static byte[] Unpack(byte[] compressed)
    {
        using var stream = Compression.OpenRead(new MemoryStream(compressed), "database", long.MaxValue);
        using var plain = new MemoryStream();
        stream.CopyTo(plain);
        return plain.ToArray();
    }

    private static string Shown<T>(IReadOnlyList<T> values) => values.Count == 0 ? "None" : string.Join("  ", values);

    /// <summary>The blocks of <c>key : value</c> that <c>pacman -Si</c> prints, by name.</summary>
    private static Dictionary<string, Dictionary<string, string>> ParseInfo(string printed)
    {
        var packages = new Dictionary<string, Dictionary<string, string>>(StringComparer.Ordinal);
        foreach (var block in printed.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = block.Split('\n').Where(line => line.Contains(" : ")).Select(line => line.Split(" : ", 2))
                .ToDictionary(pair => pair[0].Trim(), pair => pair[1].Trim(), StringComparer.Ordinal);
            if (fields.TryGetValue("Name", out var name)) packages.Add(name, fields);
        }
        return packages;
    }

    /// <summary>Three packages made by bsdtar as makepkg makes them: a usual one, one with an epoch, an empty
    /// one.</summary>
    private static async Task<List<string>> WritePackages(Scratch scratch)
    {
        var packages = new List<string>();
        foreach (var (name, version, lines) in new[]
        {
            ("lantern", "1:2.4.1-3", Archive.Info[Archive.Info.IndexOf("pkgdesc", StringComparison.Ordinal)..]),
            ("pebble", "0.1+r2-1.1",
                "pkgdesc = a  pebble\nurl = \nbuilddate = 5\n"
                + "packager = A B <c@d>\nsize = 0\narch = any\nlicense = MIT  or\tso\n"),
            ("base", "1-1",
                "pkgdesc = \nurl = https://x/?a=b&c=d\nbuilddate = 0\n"
                + "packager = Unknown Packager\nsize = 7\narch = any\ndepend = pebble\n"),
        })
        {
            var tree = $"tree-{name}";
            scratch.Write($"{tree}/.PKGINFO",
                Encoding.UTF8.GetBytes($"# comment\npkgname = {name}\npkgbase = {name}\npkgver = {version}\n{lines}"));
            if (name != "base")
            {
                scratch.Write($"{tree}/usr/share/{name}/data", [1, 2, 3]);
                scratch.Write($"{tree}/usr/share/{name}.d/x", []);
                scratch.Write($"{tree}/etc/{name}.conf", [1]);
            }
            var file = $"{name}-{version}-any.pkg.tar.zst";
            await Tool.Run(
                "sh", ["-c", $"cd {tree} && LANG=C bsdtar -cf - .PKGINFO $(ls) | zstd -q -c > ../{file}"],
                    scratch.Path);
            packages.Add(Path.Combine(scratch.Path, file));
        }
        return packages;
    }
}

/// <summary>Entries of databases.</summary>
internal static class Entries
{
    private static readonly Gen<Relation> Relations = Any.Of(
        "glibc", "sh", "libz.so=1-64", "python>=3.11", "perl<6", "lib:libx.so.1")
        .Select(Relation.Parse);

    /// <summary>Texts that survive the blanks that pacman folds when it prints.</summary>
    private static readonly Gen<string> Word = Any.Text("abcXYZ09%=:ü𝄞".Replace("𝄞", ""), 1, 12);

    public static readonly Gen<SyncEntry> Single = Gen.Select(
        Any.Text("abc+_.@-", 0, 6), PackageVersionTests.Valid, Word.List[0, 2], Word.List[0, 2], Relations.List[0, 4],
        Relations.List[0, 2], Gen.Int[0, int.MaxValue])
        .Select((name, version, groups, licenses, depends, provides, number) => Of("p" + name, version.ToString()) with
        {
            Description = string.Join(' ', licenses),
            Groups = groups,
            Licenses = licenses,
            Depends = [.. depends.Distinct()],
            Provides = [.. provides.Where(relation => relation.Comparison is Comparison.Any or Comparison.Equal)],
            Conflicts = provides,
            Replaces = provides,
            OptDepends = [.. provides.Select(relation => Relation.Parse($"{relation}: to see more"))],
            CompressedSize = number,
            InstalledSize = (long)number * 1000,
            BuildDate = DateTimeOffset.FromUnixTimeSeconds(number),
            Files = [.. groups.Select((group, i) => $"usr/{i}/{group}")],
        });

    public static SyncEntry Of(string name, string version) => new()
    {
        FileName = $"{name}-{version}-any.pkg.tar.zst",
        Name = name,
        Base = name,
        Version = PackageVersion.Parse(version),
        Architecture = "any",
        Url = "https://quarters.invalid/",
        Packager = "Jo Doe <jo@quarters.invalid>",
        Sha256 = string.Create(CultureInfo.InvariantCulture, $"{name.Length:x64}"),
        Files = [],
    };
}
