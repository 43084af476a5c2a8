using Quarters.Core.Sources;
using Quarters.Linux.Processes;
using Quarters.Sources.Directories;

namespace Quarters.Sources.Tests.Directories;

public sealed class DirectorySourceTests : IDisposable
{
    private readonly Workshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private void Package(string name, string version = "1", string more = "") =>
        _workshop.Files.Write($"packages/{name}/PKGBUILD", TestTrees.Text(name, version, more));

    [Fact]
    public async Task A_poll_reports_what_was_added_changed_and_removed_and_reads_nothing_else()
    {
        foreach (var name in new[] { "changed", "kept", "removed" })
            Package(name);
        _workshop.Files.Write("packages/no-package/file", "");
        var source = _workshop.OpenDirectory("Me <me@example.org>");
        var first = await source.PollAsync(null, Stop);
        Assert.Equal((3, 3, true), (first.Total, first.Parsed, first.Complete));

        var unchanged = await source.PollAsync(first.Cursor, Stop);
        Assert.Equal((first.Cursor, 3, 0), (unchanged.Cursor, unchanged.Total, unchanged.Changed.Length));

        Package("changed", "2.0");
        Package("added");
        Directory.Delete(_workshop.Files["packages/removed"], recursive: true);
        var second = await source.PollAsync(first.Cursor, Stop);
        Assert.Equal(["added", "changed"], second.Changed.Select(package => package.Pkgbase));
        Assert.Equal(["removed"], second.RemovedPaths);
        Assert.Equal((3, 2, false), (second.Total, second.Parsed, second.Complete));
    }

    [Fact]
    public async Task Every_change_is_told_and_reading_is_none()
    {
        Package("zlib");
        var source = _workshop.OpenDirectory("Me <me@example.org>");
        await AfterAsync(() => Package("jq"));
        await AfterAsync(() => _workshop.Files.Write("packages/jq/deeper/fix.patch", "+1"));
        await AfterAsync(() => _workshop.Files.Write("packages/jq/deeper/fix.patch", "+2"));
        await AfterAsync(() => File.SetUnixFileMode(_workshop.Files["packages/zlib/PKGBUILD"], UnixFileMode.UserRead));
        await AfterAsync(() => Directory.Delete(_workshop.Files["packages/zlib"], recursive: true));

        async Task AfterAsync(Action change)
        {
            var changed = source.ChangedAsync(Stop);
            await source.PollAsync(null, Stop);
            Assert.False(changed.IsCompleted);
            change();
            await changed.WaitAsync(TimeSpan.FromMinutes(2), Stop);
        }
    }

    [Fact]
    public async Task Of_a_directory_that_cannot_be_watched_nothing_is_told()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var changed = _workshop.OpenDirectory("Me <me@example.org>").ChangedAsync(stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => changed);
    }

    [Fact]
    public async Task The_maintainer_line_names_the_packager_and_the_newest_file_the_time()
    {
        Package("named", more: "# Maintainer: Ada Lovelace <ada@example.org>");
        Package("nameless");
        var newest = new DateTime(2024, 5, 6, 7, 8, 9, DateTimeKind.Utc);
        _workshop.Files.Write("packages/named/fix.patch", "x");
        File.SetLastWriteTimeUtc(_workshop.Files["packages/named/PKGBUILD"], newest.AddDays(-1));
        File.SetLastWriteTimeUtc(_workshop.Files["packages/named/fix.patch"], newest);

        var report = await _workshop.OpenDirectory("Me <me@example.org>").PollAsync(null, Stop);

        var packages = report.Changed.ToDictionary(package => package.Pkgbase);
        Assert.Equal("Ada Lovelace <ada@example.org>", packages["named"].Packager);
        Assert.Equal("Me <me@example.org>", packages["nameless"].Packager);
        Assert.Equal(new DateTimeOffset(newest), packages["named"].Origin.Time);
    }

    [Fact]
    public async Task What_makepkg_leaves_behind_is_no_part_of_the_source()
    {
        Package("alpha");
        var source = _workshop.OpenDirectory("Me <me@example.org>");
        var first = await source.PollAsync(null, Stop);
        foreach (var path in new[] { "src/x", "pkg/alpha/y", "alpha-1-1-any.pkg.tar.zst", "alpha-1-1-any-build.log",
            ".git/HEAD" })
            _workshop.Files.Write("packages/alpha/" + path, "left");

        Assert.Equal(first.Cursor, (await source.PollAsync(first.Cursor, Stop)).Cursor);

        _workshop.Files.Write("packages/alpha/data/src/x", "belongs to it");
        Assert.Single((await source.PollAsync(first.Cursor, Stop)).Changed);
    }

    [Fact]
    public async Task A_pipe_is_not_waited_for_and_a_link_is_not_followed()
    {
        Package("alpha");
        Package("outward");
        File.CreateSymbolicLink(_workshop.Files["packages/outward/secret"], "/etc/hostname");
        File.CreateSymbolicLink(_workshop.Files["packages/elsewhere"], "/usr");
        await ProcessRunner.RunAsync(
            new ProcessSpec { FileName = "mkfifo", Arguments = [_workshop.Files["packages/alpha/pipe"]] }, Stop);

        var report = await _workshop.OpenDirectory("Me <me@example.org>").PollAsync(null, Stop);

        Assert.Equal("alpha", report.Changed.Single().Pkgbase);
        Assert.Contains(
            "leads out of it, to /etc/hostname", report.Unreadable.Single().Reason, StringComparison.Ordinal);
        Assert.Equal(2, report.Total);
    }

    [Fact]
    public async Task A_directory_that_is_one_package_is_a_source_of_one()
    {
        _workshop.Files.Write("packages/PKGBUILD", TestTrees.Text("single"));
        _workshop.Files.Write("packages/inner/PKGBUILD", TestTrees.Text("part-of-its-files"));

        var report = await _workshop.OpenDirectory("Me <me@example.org>").PollAsync(null, Stop);

        Assert.Equal(("single", ""), (report.Changed.Single().Pkgbase, report.Changed.Single().Origin.Path));
    }

    [Fact]
    public async Task A_directory_that_is_not_there_is_unreachable() =>
        await Assert.ThrowsAsync<SourceUnreachableException>(
            () => _workshop.OpenDirectory("Me <me@example.org>").PollAsync(null, Stop));

    [Fact]
    public async Task A_person_gets_the_records_of_the_directories_named_and_of_those_inside_them()
    {
        Package("beta", more: "depends=(glibc)\ndepends_x86_64=(never)");
        Package("alpha");
        _workshop.Files.Write("broken/PKGBUILD", "pkgname=(");
        var parser = new DirectoryParser(_workshop.Reader);

        var parsed = new List<ParsedDirectory>();
        await foreach (var one in parser.ParseAsync(
            [_workshop.Files["packages"], _workshop.Files["broken"], _workshop.Files["nowhere"]], "local", Stop))
            parsed.Add(one);

        Assert.Equal(["alpha", "beta", null, null], parsed.Select(one => one.Package?.Pkgbase));
        Assert.Equal(["glibc"], parsed[1].Package!.Dependencies.Depends);
        Assert.StartsWith("pkgbase = beta\n", parsed[1].Info!.ToText(), StringComparison.Ordinal);
        Assert.Contains("unexpected EOF", parsed[2].Problem, StringComparison.Ordinal);
        Assert.Contains("nowhere", parsed[3].Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_record_holds_overrides_and_what_is_for_one_architecture()
    {
        var parser = new DirectoryParser(_workshop.Reader);

        SourcePackage? library = null;
        SourcePackage? split = null;
        await foreach (var one in parser.ParseAsync(
            [TestTrees.SampleDirectory("library"), TestTrees.SampleDirectory("toolchain")], "local", Stop))
            (library, split) =
                (split is null && library is not null ? library : one.Package, library is null ? null : one.Package);

        Assert.Equal("1:3.1.4-2", library!.Version);
        Assert.Equal(["glibc>=2.36", "zlib", "libssl.so=3-64"], library.Dependencies.Depends);
        Assert.Equal(["libcpuid"], library.DependenciesByArchitecture["x86_64"].Depends);
        Assert.Equal(["qemu-user"], library.DependenciesByArchitecture["riscv64"].Makedepends);
        Assert.False(library.DependenciesByArchitecture.ContainsKey("aarch64"));
        Assert.Equal(["glibc>=2.36", "zlib", "libssl.so=3-64", "libfrob-data"], library.Packages.Single().Depends);
        Assert.Equal("Ada Example <ada@example.org>", library.Packager);
        Assert.Equal(["any"], split!.Packages[0].Architectures);
        Assert.Equal(["crossgcc-common=13.2.0-3.1", "avr-binutils>=2.40"], split.Packages[2].Depends);
    }
}
