using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Quarters.Alpm;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Linux.Files;
using Quarters.Master.Repositories;
using Quarters.Master.Signalling;

namespace Quarters.Master.Tests;

/// <summary>What the publisher writes, and what is read of it again.</summary>
public sealed class PublisherTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("quarters-publisher-").FullName;
    private readonly MasterFolders _folders;
    private readonly Publisher _publisher;

    public PublisherTests()
    {
        _folders = new MasterFolders(_folder);
        Directory.CreateDirectory(_folders.Incoming);
        Directory.CreateDirectory(_folders.Snapshots);
        _publisher = new Publisher(_folders, LinuxDisk.Instance);
    }

    [Fact]
    public void Deleted_databases_come_back_to_the_same_bytes_whatever_their_history()
    {
        var repository = Repository("x86_64");
        for (var i = 0; i < 300; i++) repository = With(repository, Bring(repository, $"p{i}", "1-1"));
        repository = Published(repository);
        repository = Published(With(repository, Bring(repository, "p17", "2-1")));
        repository = Published(repository with { Packages = repository.Packages.Remove("p5") });
        var (database, files) = (File.ReadAllBytes(Path("db")), File.ReadAllBytes(Path("files")));
        foreach (var lost in new[] { "db", "files" })
        {
            File.Delete(Path(lost));
            Assert.False(_publisher.IsPublished(repository));
            Assert.Equal(repository.DatabaseSha256, Published(repository).DatabaseSha256);
            Assert.Equal(database, File.ReadAllBytes(Path("db")));
            Assert.Equal(files, File.ReadAllBytes(Path("files")));
            Assert.True(_publisher.IsPublished(repository));
        }

        Assert.DoesNotContain(
            Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories),
            path => path.EndsWith(DurableFile.TemporarySuffix, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("db")]
    [InlineData("files")]
    public void A_flipped_bit_in_a_database_is_seen_at_the_start_and_mended(string ending)
    {
        var repository = Repository("x86_64");
        repository = Published(With(repository, Bring(repository, "zlib", "1-1")));
        var good = File.ReadAllBytes(Path(ending));
        var bad = good.ToArray();
        bad[20] ^= 1;
        File.Delete(Path(ending));
        File.WriteAllBytes(Path(ending), bad);
        Assert.False(_publisher.IsPublished(repository));
        Published(repository);
        Assert.Equal(good, File.ReadAllBytes(Path(ending)));
    }

    [Fact]
    public void A_package_whose_file_is_gone_damaged_or_unreadable_is_left_out_and_told_of_until_it_is_back()
    {
        var repository = Repository("x86_64");
        for (var i = 0; i < 300; i++) repository = With(repository, Bring(repository, $"p{i}", "1-1"));
        repository = Published(repository);
        var (gone, damaged) = (Stored(repository, "p5"), Stored(repository, "p17"));
        var good = File.ReadAllBytes(damaged);
        File.Move(gone, gone + ".aside");
        File.WriteAllBytes(damaged, [.. good[..^1], (byte)(good[^1] ^ 1)]);
        // What the system refuses to open, for one reason and for another.
        var (refused, looping) = (Stored(repository, "p23"), Stored(repository, "p42"));
        foreach (var path in new[] { refused, looping }) File.Move(path, path + ".aside");
        Directory.CreateDirectory(refused);
        File.CreateSymbolicLink(looping, looping);
        // As long as the databases say what is in them nobody reads the files.
        Published(repository);
        File.Delete(Path("db"));
        File.Delete(Path("files"));

        var told = new List<string>();
        _publisher.Publish(repository, told.Add);
        Assert.Collection(
            told.Order(StringComparer.Ordinal),
            one => Assert.StartsWith($"{damaged} is damaged: its SHA-256 sum is ", one, StringComparison.Ordinal),
            one => Assert.StartsWith($"{refused} cannot be read: ", one, StringComparison.Ordinal),
            one => Assert.StartsWith($"{looping} cannot be read: ", one, StringComparison.Ordinal),
            one => Assert.Equal(
                $"{gone} is gone; put back the file with the SHA-256 sum {repository.Packages["p5"].Sha256} and start "
                + "the master again, or have p5 built anew (quarters rebuild NAME p5, then quarters merge NAME)", one));
        foreach (var ending in new[] { "db", "files" })
        {
            using var file = File.OpenRead(Path(ending));
            Assert.Equal(
                repository.Packages.Keys.Except(["p5", "p17", "p23", "p42"]).Order(StringComparer.Ordinal),
                SyncDatabase.Read(file, new SyncReadLimits()).Select(e => e.Name).Order(StringComparer.Ordinal));
        }

        Assert.False(_publisher.IsPublished(repository));
        Directory.Delete(refused);
        foreach (var path in new[] { gone, refused, looping }) File.Move(path + ".aside", path, overwrite: true);
        File.WriteAllBytes(damaged, good);
        Assert.Equal(repository.DatabaseSha256, Published(repository).DatabaseSha256);
        Assert.True(_publisher.IsPublished(repository));
    }

    [Fact]
    public void What_is_for_any_architecture_is_stored_once()
    {
        var first = Repository("x86_64");
        var any = Bring(first, "scripts", "1-1", "any");
        Published(With(first, any));
        // An architecture that was added later: nobody brought the file there.
        Published(With(Repository("aarch64"), any));
        var paths = new[] { "x86_64", "aarch64" }
            .Select(a => System.IO.Path.Combine(_folders.Repository("core", a), any.FileName)).ToArray();
        File.AppendAllText(paths[0], "one and the same");
        Assert.Equal(File.ReadAllBytes(paths[0]), File.ReadAllBytes(paths[1]));
    }

    [Fact]
    public void A_package_that_cannot_be_linked_to_where_it_is_needed_is_left_out_and_told_of()
    {
        var first = Repository("x86_64");
        var any = Bring(first, "scripts", "1-1", "any");
        Published(With(first, any));
        var second = With(Repository("aarch64"), any);
        var path = System.IO.Path.Combine(_folders.Repository("core", "aarch64"), any.FileName);
        Directory.CreateDirectory(path);
        var told = new List<string>();
        _publisher.Publish(second, told.Add);
        Assert.StartsWith($"{path} cannot be put there: ", Assert.Single(told), StringComparison.Ordinal);
        Directory.Delete(path);
        Published(second);
        Assert.True(File.Exists(path));
    }

    [Fact]
    public void A_signal_whose_package_files_cannot_be_put_into_their_places_is_refused_with_the_reason()
    {
        var core = Repository("x86_64");
        core = Published(With(core, Bring(core, "zlib", "1-1")));
        var state = MasterState.Empty with
        {
            Settings = new MasterSettings
            {
                Architectures = ["x86_64"],
                Repositories = ["core", "stable"],
                Sources = [],
                Builders = [],
                BasePackages = [],
            },
            Repositories = MasterState.Empty.Repositories.SetItem("core/x86_64", core),
        };
        var move = new MovePackages { Id = "move", Time = default, Names = ["zlib"], From = "core", To = "stable" };
        var (name, sha256) = (core.Packages["zlib"].FileName, core.Packages["zlib"].Sha256);
        var occupied = System.IO.Path.Combine(_folders.Repository("stable", "x86_64"), name);
        Directory.CreateDirectory(occupied);

        var refused = Assert.IsType<SignalSettled>(Assert.Single(SignalDesk.Decide(state, move, null, _publisher)));
        Assert.Equal("package files that it needs cannot be put into their places", refused.Refusal);
        Assert.Contains($"could not be renamed to {occupied}", refused.Details[0], StringComparison.Ordinal);
        Assert.Equal($"{Publisher.PlaceAdvice}; then ask for it again", refused.Details[1]);
        File.Move(Stored(core, "zlib"), Stored(core, "zlib") + ".aside");
        refused = Assert.IsType<SignalSettled>(Assert.Single(SignalDesk.Decide(state, move, null, _publisher)));
        Assert.Equal(
            $"stable/x86_64/{name} is gone: no repository has it with the SHA-256 sum {sha256}", refused.Details[0]);

        File.Move(Stored(core, "zlib") + ".aside", Stored(core, "zlib"));
        Directory.Delete(occupied);
        var done = SignalDesk.Decide(state, move, null, _publisher);
        Assert.Single(done.OfType<RepositoriesChanged>());
        Assert.Null(Assert.Single(done.OfType<SignalSettled>()).Refusal);
        Assert.True(File.Exists(occupied));
    }

    [Fact]
    public void Who_has_a_path_and_what_a_snapshot_holds_is_found_in_segments()
    {
        var repository = Repository("x86_64");
        for (var i = 0; i < 300; i++) repository = With(repository, Bring(repository, $"p{i}", "1-1"));
        repository = Published(repository);
        using var contents = new RepositoryContents(_folders);
        Check(contents, repository, "1-1");
        // And again when one has changed, of which the rest is remembered.
        repository = Published(With(repository, Bring(repository, "p7", "2-1")));
        Check(contents, repository, "2-1");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Check(RepositoryContents contents, RepositoryState repository, string version)
    {
        var owners = contents.Owners(
            [repository], new HashSet<string> { "usr/share/p7/readme", "usr/share/p299/readme", "usr/share/p7" });
        Assert.Equal(["usr/share/p299/readme", "usr/share/p7/readme"], owners.Keys.Order());
        Assert.Equal(["p7"], owners["usr/share/p7/readme"]);
        InstalledPackage[] asked =
            [.. new[] { "p7-1-1-x86_64", "p7-2-1-x86_64", "p299-1-1-x86_64", "a-1-1-any", "p299-1-1-any" }
                .Select(InstalledPackage.Parse)];
        Assert.Equal([$"p299-1-1-x86_64", $"p7-{version}-x86_64"],
            contents.Held(Snapshot(repository), asked).Select(p => p.ToString()).Order(StringComparer.Ordinal));
    }

    private string Snapshot(RepositoryState repository)
    {
        ImmutableArray<SnapshotRepository> repositories =
        [
            new SnapshotRepository
            {
                Name = repository.Name,
                DatabaseSha256 = repository.DatabaseSha256!,
                DatabaseBytes = repository.DatabaseBytes,
                Servers = [],
            },
        ];
        var document = new SnapshotDocument
        {
            Id = Snapshots.IdOf("x86_64", repositories),
            Architecture = "x86_64",
            Repositories = repositories,
        };
        var os = System.IO.Path.Combine(_folders.Snapshots, document.Id, "core", "os", "x86_64");
        Directory.CreateDirectory(os);
        File.Copy(_folders.Database(repository.DatabaseSha256!), System.IO.Path.Combine(os, "core.db"));
        File.WriteAllBytes(
            System.IO.Path.Combine(_folders.Snapshots, document.Id, "snapshot.json"),
            JsonSerializer.SerializeToUtf8Bytes(document, QuartersJson.Default.SnapshotDocument));
        return document.Id;
    }

    private RepositoryPackage Bring(
        RepositoryState repository, string name, string version, string architecture = "x86_64")
    {
        var content = TestFarm.Package(
            new QueueJob
            {
                Id = name,
                Attempt = 1,
                Pkgbase = name,
                Version = version,
                Architecture = architecture,
                SourceSha256 = "",
                SourceBytes = 1,
                Snapshot = "",
                BasePackages = [],
                Dependencies = [],
                Packages = [new WantedPackage(name, architecture)],
                Packager = "Jane Doe <jane@example.org>",
                SourceDateEpoch = 1,
                Priority = 1,
                ReadyAt = default,
                Limits = new BuildLimits(),
            });
        var fileName = $"{name}-{version}-{architecture}.pkg.tar.zst";
        var file = System.IO.Path.Combine(_folders.Incoming, fileName);
        File.WriteAllBytes(file, content);
        _publisher.Store(file, repository.Name, repository.Architecture, fileName);
        File.Delete(file);
        return new RepositoryPackage
        {
            Name = name,
            Pkgbase = name,
            Version = version,
            Architecture = architecture,
            FileName = fileName,
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(content)),
            Bytes = content.Length,
        };
    }

    private RepositoryState Published(RepositoryState repository)
    {
        var published = _publisher.Publish(repository, Assert.Fail);
        return repository with { DatabaseSha256 = published.Sha256, DatabaseBytes = published.Bytes };
    }

    private string Stored(RepositoryState repository, string name) =>
        _folders.Package(repository, repository.Packages[name]);

    private string Path(string ending) =>
        System.IO.Path.Combine(_folders.Repository("core", "x86_64"), "core." + ending);

    private static RepositoryState Repository(string architecture) =>
        new() { Name = "core", Architecture = architecture };

    private static RepositoryState With(RepositoryState repository, RepositoryPackage package) =>
        repository with { Packages = repository.Packages.SetItem(package.Name, package) };
}
