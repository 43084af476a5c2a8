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

    private static readonly string[] Words =
        "library fast client server tools for the a of to image audio text graph python daemon parser network and with"
            .Split(' ');

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
            publisher.Publish(state);
            Console.WriteLine(watch.Elapsed.TotalSeconds.ToString("F4", CultureInfo.InvariantCulture));
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

    private static IEnumerable<SyncEntry> Entries(int count)
    {
        var random = new Random(15_000);
        for (var i = 0; i < count; i++)
        {
            var name = $"{Words[i % Words.Length]}-{Words[i / 7 % Words.Length]}-{i}";
            var version = PackageVersion.Parse($"{random.Next(9)}.{random.Next(40)}.{random.Next(20)}-{1 + random.Next(4)}");
            yield return new SyncEntry
            {
                FileName = $"{name}-{version}-x86_64.pkg.tar.zst",
                Name = name,
                Base = name,
                Version = version,
                Architecture = Architecture,
                Description = string.Join(' ', Enumerable.Range(0, 9).Select(_ => Words[random.Next(Words.Length)])),
                CompressedSize = random.Next(100_000_000),
                InstalledSize = random.Next(400_000_000),
                Sha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name))),
                Url = $"https://example.org/{name}",
                Licenses = ["GPL-3.0-or-later"],
                Packager = $"Packager {i % 60} <packager{i % 60}@example.org>",
                BuildDate = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000 + random.Next(60_000_000)),
                Depends = [.. Enumerable.Range(0, random.Next(12)).Select(_ => Relation.Parse($"dep-{random.Next(3000)}"))
                    .Distinct()],
                MakeDepends = [.. Enumerable.Range(0, random.Next(8))
                    .Select(_ => Relation.Parse($"make-{random.Next(500)}")).Distinct()],
                Provides = i % 5 == 0 ? [Relation.Parse($"lib{name}.so=1-64")] : [],
                Files = [.. Files(name, random.Next(80)).Order(StringComparer.Ordinal)],
            };
        }
    }

    private static IEnumerable<string> Files(string name, int count) =>
    [
        "usr/", "usr/share/", $"usr/share/{name}/",
        .. Enumerable.Range(0, count).Select(i => $"usr/share/{name}/file-{i}.{Words[i % Words.Length]}"),
    ];
}
