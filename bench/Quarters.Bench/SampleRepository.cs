using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Quarters.Alpm;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Linux.Files;
using Quarters.Master;
using Quarters.Master.Repositories;

namespace Quarters.Bench;

/// <summary>A repository of many invented packages, as repo-add and as a master would have it.</summary>
internal static class SampleRepository
{
    private const string Name = "bench", Architecture = "x86_64";

    private static readonly string[] Syllables =
        "ba co di fu ge ho ji ka lo mu ne pi qua ro si ta vo wi xe zu bra cle dro fri gno py lib tex".Split(' ');

    /// <summary>Writes <c>theirs/bench.db.tar.gz</c> and <c>.files.tar.gz</c>, and a master's folder with the same
    /// packages.</summary>
    public static void Write(string folder, int count)
    {
        var entries = Entries(count).ToList();
        var theirs = Directory.CreateDirectory(Path.Combine(folder, "theirs")).FullName;
        foreach (var (ending, withFiles) in new[] { ("db", false), ("files", true) })
        {
            using (var file = File.Create(Path.Combine(theirs, $"{Name}.{ending}.tar.gz")))
                SyncDatabase.Write(file, entries, CompressionFormat.Gzip, withFiles);
            File.CreateSymbolicLink(Path.Combine(theirs, $"{Name}.{ending}"), $"{Name}.{ending}.tar.gz");
        }

        var ours = new MasterFolders(Path.Combine(folder, "ours")).Repository(Name, Architecture);
        Directory.CreateDirectory(ours);
        var known = entries.ToDictionary(e => e.Name, StringComparer.Ordinal);
        foreach (var (ending, withFiles) in new[] { ("db", false), ("files", true) })
        {
            using var file = File.Create(Path.Combine(ours, $"{Name}.{ending}"));
            var writer = new SegmentedDatabaseWriter(file, null, withFiles);
            foreach (var segment in DatabaseSegment.Cut(
                entries.Select(e => new PackageIdentity(e.Name, e.FileName, e.Sha256!))))
                writer.Write(segment, [.. segment.Packages.Select(p => known[p.Name])]);
            writer.Finish();
        }
    }

    /// <summary>Has the publisher of a master add one package after the other, and prints how long each took.</summary>
    public static void Add(string folder, int count, string[] packages)
    {
        var folders = new MasterFolders(Path.Combine(folder, "ours"));
        var publisher = new Publisher(folders, LinuxDisk.Instance);
        var state = new RepositoryState
        {
            Name = Name,
            Architecture = Architecture,
            Packages = Entries(count).ToImmutableSortedDictionary(e => e.Name, Describe, StringComparer.Ordinal),
        };
        foreach (var path in packages)
        {
            // Fetched and looked at before, as a master does it: repo-add is timed with reading the package.
            var watch = Stopwatch.StartNew();
            using var file = File.OpenRead(path);
            var (info, _) = PackageFile.ReadInfo(file, new PackageReadLimits());
            file.Position = 0;
            var added = new RepositoryPackage
            {
                Name = info.Name,
                Pkgbase = info.Base,
                Version = info.Version.ToString(),
                Architecture = info.Architecture,
                FileName = Path.GetFileName(path),
                Sha256 = Convert.ToHexStringLower(SHA256.HashData(file)),
                Bytes = file.Length,
            };
            publisher.Store(path, Name, Architecture, added.FileName);
            state = state with { Packages = state.Packages.SetItem(added.Name, added) };
            publisher.Publish(state, problem => throw new InvalidDataException(problem));
            Console.WriteLine(watch.Elapsed.TotalSeconds.ToString("F4", CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Writes as many snapshots, each with one package newer than in the one before, and prints how long it
    /// takes to see which packages they need: of the first alone, and of all.</summary>
    public static void Keep(string folder, int count, int snapshots)
    {
        var folders = new MasterFolders(folder);
        var entries = Entries(count).OrderBy(entry => entry.Name, StringComparer.Ordinal).ToArray();
        var known = entries.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
        var random = new Random(1);
        FileStream? before = null;
        for (var i = 0; i < snapshots; i++)
        {
            var place = random.Next(count);
            var (name, version) = (entries[place].Name, PackageVersion.Parse($"99-{i + 1}"));
            entries[place] = known[name] = entries[place] with
            {
                Version = version,
                FileName = $"{name}-{version}-x86_64.pkg.tar.zst",
            };
            var os = Directory.CreateDirectory(
                Path.Combine(folders.Snapshots, $"{i}", Name, "os", Architecture)).FullName;
            var file = File.Create(Path.Combine(os, Name + ".db"));
            var writer = new SegmentedDatabaseWriter(
                file, before is null ? null : SegmentedDatabase.Open(before), withFiles: false);
            foreach (var segment in DatabaseSegment.Cut(
                entries.Select(entry => new PackageIdentity(entry.Name, entry.FileName, entry.Sha256!))))
            {
                if (!writer.TryCopy(segment))
                    writer.Write(segment, [.. segment.Packages.Select(package => known[package.Name])]);
            }

            writer.Finish();
            before?.Dispose();
            before = file;
        }

        before?.Dispose();
        foreach (var some in new[] { 1, snapshots })
        {
            var watch = Stopwatch.StartNew();
            var files = KeptFiles.Of(
                folders, Name, Architecture, id => int.Parse(id, CultureInfo.InvariantCulture) < some).Count;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{some} {watch.Elapsed.TotalSeconds:F3} {files}"));
        }
    }

    private static RepositoryPackage Describe(SyncEntry entry) => new()
    {
        Name = entry.Name,
        Pkgbase = entry.Base,
        Version = entry.Version.ToString(),
        Architecture = entry.Architecture,
        FileName = entry.FileName,
        Sha256 = entry.Sha256!,
        Bytes = entry.CompressedSize,
    };

    /// <summary>As varied as the databases of distributions are: 32 MB for 15,000, and 6 MB compressed.</summary>
    private static IEnumerable<SyncEntry> Entries(int count)
    {
        var random = new Random(15_000);
        string Word(int syllables) =>
            string.Concat(Enumerable.Range(0, syllables).Select(_ => Syllables[random.Next(Syllables.Length)]));
        string[] Words(int number, int syllables) =>
            [.. Enumerable.Range(0, number).Select(_ => Word(1 + random.Next(syllables)))];
        var vocabulary = Words(4000, 4);
        var names = Words(count, 4).Select((word, i) => $"{word}-{i}").ToArray();
        string[] Some(string[] of, int most) =>
            [.. Enumerable.Range(0, random.Next(most)).Select(_ => of[random.Next(of.Length)]).Distinct()];
        foreach (var name in names)
        {
            var version = PackageVersion.Parse(
                $"{random.Next(9)}.{random.Next(40)}.{random.Next(20)}-{1 + random.Next(4)}");
            yield return new SyncEntry
            {
                FileName = $"{name}-{version}-x86_64.pkg.tar.zst",
                Name = name,
                Base = name,
                Version = version,
                Architecture = Architecture,
                Description = string.Join(' ', Some(vocabulary, 16)),
                CompressedSize = random.Next(100_000_000),
                InstalledSize = random.Next(400_000_000),
                Sha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name))),
                Url = $"https://{Word(3)}.example.org/{name}",
                Licenses = ["GPL-3.0-or-later"],
                Packager = $"Packager {name.Length} <packager{name.Length}@example.org>",
                BuildDate = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000 + random.Next(60_000_000)),
                Depends = [.. Some(names, 14).Select(Relation.Parse)],
                OptDepends = [.. Some(names, 4).Select(n => Relation.Parse($"{n}: for {vocabulary[n.Length]}"))],
                MakeDepends = [.. Some(names, 10).Select(Relation.Parse)],
                Provides = random.Next(5) == 0 ? [Relation.Parse($"lib{name}.so=1-64")] : [],
                Files = [.. Files(name, Some(vocabulary, 80)).Order(StringComparer.Ordinal)],
            };
        }
    }

    private static IEnumerable<string> Files(string name, string[] words) =>
        ["usr/", "usr/share/", $"usr/share/{name}/", .. words.Select(word => $"usr/share/{name}/{word}.{word.Length}")];
}
