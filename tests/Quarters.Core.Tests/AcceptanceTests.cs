using Quarters.Alpm;
using Quarters.Core.Master;
using Quarters.Core.Sources;

namespace Quarters.Core.Tests;

public class AcceptanceTests
{
    private static readonly SourcePackage Zlib = new Farm().Package("main", "zlib 1:1.3-1");
    private readonly Surroundings _around = new();

    [Fact]
    public void What_the_job_asked_for_is_accepted() => Assert.Null(Fault(Good()));

    [Fact]
    public void Every_lie_about_what_a_package_is_is_refused()
    {
        Assert.Contains("pkgbase", Fault(With(i => i with { Base = "bash" })), StringComparison.Ordinal);
        Assert.Contains(
            "pkgver", Fault(With(i => i with { Version = PackageVersion.Parse("1:1.4-1") })), StringComparison.Ordinal);
        Assert.Contains("arch", Fault(With(i => i with { Architecture = "any" })), StringComparison.Ordinal);
        Assert.Contains("packager", Fault(With(i => i with { Packager = "Mallory" })), StringComparison.Ordinal);
        Assert.Contains("zlib is there 0 times", Fault(With(i => i with { Name = "bash" })), StringComparison.Ordinal);
        Assert.Contains("file name", Fault(
            Good() with { FileName = "../zlib-1:1.3-1-x86_64.pkg.tar.zst" }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_double_or_extra_package_is_refused()
    {
        Assert.Contains("0 times", Acceptance.FindFault(Zlib, "x86_64", [], _around), StringComparison.Ordinal);
        Assert.Contains(
            "2 times", Acceptance.FindFault(Zlib, "x86_64", [Good(), Good()], _around), StringComparison.Ordinal);
        var extra = With(i => i with { Name = "sudo" }) with { FileName = "sudo.pkg.tar.zst" };
        Assert.Contains(
            "does not yield", Acceptance.FindFault(Zlib, "x86_64", [Good(), extra], _around), StringComparison.Ordinal);
    }

    [Fact]
    public void A_build_outside_its_snapshot_is_refused()
    {
        _around.Snapshot.Clear();
        Assert.Contains("glibc-2.36-1-x86_64 was installed", Fault(Good()), StringComparison.Ordinal);
        Assert.Contains("no .BUILDINFO", Fault(
            Good() with { Facts = Good().Facts with { Build = null } }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_path_that_leaves_the_root_is_refused() =>
        Assert.Contains("..", Fault(WithEntries("usr/../../etc/passwd")), StringComparison.Ordinal);

    [Fact]
    public void A_file_of_another_package_is_refused_unless_they_exclude_each_other()
    {
        _around.Owners["usr/lib/libz.so"] = "zlib-ng";
        Assert.Contains("also in the package zlib-ng", Fault(Good()), StringComparison.Ordinal);
        Assert.Null(Fault(With(i => i with { Conflicts = [Relation.Parse("zlib-ng")] })));
        _around.Owners["usr/lib/libz.so"] = "zlib";
        Assert.Null(Fault(Good()));
    }

    private string? Fault(ReceivedPackage package) => Acceptance.FindFault(Zlib, "x86_64", [package], _around);

    private static ReceivedPackage With(Func<PackageInfo, PackageInfo> change) =>
        Good() with { Facts = Good().Facts with { Info = change(Good().Facts.Info) } };

    private static ReceivedPackage WithEntries(params string[] paths) => Good() with
    {
        Facts = Good().Facts with
        {
            Entries = [.. paths.Select(p => new PackageEntry(p, PackageEntryType.File, 420, 1, null))],
        },
    };

    private static ReceivedPackage Good()
    {
        var info = new PackageInfo
        {
            Name = "zlib",
            Base = "zlib",
            Version = PackageVersion.Parse("1:1.3-1"),
            Architecture = "x86_64",
            Packager = "Jane Doe <jane@example.org>",
        };
        var build = new BuildInfo
        {
            Name = "zlib",
            Base = "zlib",
            Version = info.Version,
            Architecture = "x86_64",
            Packager = info.Packager,
            Installed = [InstalledPackage.Parse("glibc-2.36-1-x86_64")],
        };
        PackageEntry[] entries =
        [
            new("usr", PackageEntryType.Directory, 493, 0, null),
            new("usr/lib", PackageEntryType.Directory, 493, 0, null),
            new("usr/lib/libz.so", PackageEntryType.File, 493, 9, null),
        ];
        return new ReceivedPackage(
            "zlib-1:1.3-1-x86_64.pkg.tar.zst", 10, new string('a', 64), new PackageFacts(info, build, entries, 100));
    }

    private sealed class Surroundings : IAcceptanceSurroundings
    {
        public HashSet<string> Snapshot { get; } = ["glibc-2.36-1-x86_64"];

        public Dictionary<string, string> Owners { get; } = [];

        public bool SnapshotHolds(InstalledPackage package) => Snapshot.Contains(package.ToString());

        public IEnumerable<string> OwnersOf(string path) => Owners.TryGetValue(path, out var owner) ? [owner] : [];
    }
}
