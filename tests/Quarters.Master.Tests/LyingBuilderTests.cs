using System.Text;
using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Master.Tests;

/// <summary>A lying or broken builder changes nothing: each lie is refused with its reason in the journal, nothing is
/// published.</summary>
public class LyingBuilderTests
{
    public static TheoryData<string, string> Lies => new()
    {
        { "truncated", "cannot be read" },
        { "garbage", "cannot be read" },
        { "empty-name", "is not the name of a package file" },
        { "dotdot-name", "is not the name of a package file" },
        { "wrong-digest", "" },
        { "wrong-size", "" },
        { "missing-file", "404" },
        { "other-pkgname", "must be once" },
        { "other-version", "pkgver" },
        { "other-packager", "packager" },
        { "other-arch", "arch" },
        { "escape", ".." },
        { "absolute", "absolute" },
        { "foreign-installed", "its snapshot does not hold" },
        { "unknown-snapshot", "never offered" },
        { "no-files", "must have 1" },
        { "two-files", "must have 1" },
        { "huge", "impossible size" },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task A_lie_is_refused_with_its_reason_and_nothing_is_published(string lie, string reason)
    {
        await using var farm = await TestFarm.StartAsync();
        farm.Source.Commit("zlib 1.3-1");
        var job = await farm.QueuedAsync("zlib");
        farm.Anna.Say([], [Lie(farm, job, lie)]);
        var refused = await farm.JobAsync(job.Id, j => j.Attempts.Length == 1, "the lie is settled");
        Assert.Equal(AttemptEnd.Refused, refused.Attempts[0].End);
        Assert.Contains(reason, refused.Attempts[0].Reason, StringComparison.Ordinal);
        var os = Path.Combine(farm.State, "public", "repo", "quarters", "os", "x86_64");
        Assert.False(Directory.Exists(os) && Directory.EnumerateFiles(os).Any(), "something was published");
        var journal = string.Concat(Directory.GetFiles(Path.Combine(farm.State, "journal")).Select(File.ReadAllText));
        Assert.Contains("resultRefused", journal, StringComparison.Ordinal);

        // The truth is still welcome, even while the job rests.
        var again = job with { Attempt = 2 };
        farm.Anna.SayBuilt(again);
        await farm.JobAsync(job.Id, j => j.Status == JobStatus.Built, "the truth is accepted");
    }

    [Fact]
    public async Task A_package_that_would_overwrite_anothers_file_is_refused()
    {
        await using var farm = await TestFarm.StartAsync();
        farm.Source.Commit("zlib 1.3-1", "evil 1-1");
        var zlib = await farm.QueuedAsync("zlib");
        var evil = await farm.QueuedAsync("evil");
        farm.Anna.SayBuilt(zlib, "usr/lib/libz.so");
        await farm.JobAsync(zlib.Id, j => j.Status == JobStatus.Built, "zlib is built");
        farm.Anna.SayBuilt(evil, "usr/lib/libz.so");
        var refused = await farm.JobAsync(evil.Id, j => j.Attempts.Length == 1, "the collision is settled");
        Assert.Contains(
            "/usr/lib/libz.so is also in the package zlib", refused.Attempts[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_whose_results_are_always_refused_fails_in_the_end()
    {
        await using var farm = await TestFarm.StartAsync();
        farm.Source.Commit("zlib 1.3-1");
        var job = await farm.QueuedAsync("zlib");
        farm.Anna.Say([], [Lie(farm, job, "garbage"), Lie(farm, job with { Attempt = 2 }, "garbage")]);
        var failed = await farm.JobAsync(job.Id, j => j.Status == JobStatus.Failed, "the job failed");
        Assert.Equal(2, failed.Attempts.Length);
    }

    private static BuildResult Lie(TestFarm farm, QueueJob job, string lie)
    {
        var name = TestFarm.FileName(job);
        ResultFile Good() => farm.Anna.Present(job, name, TestFarm.Package(job));
        ResultFile Changed(Func<PackageInfo, PackageInfo> change) =>
            farm.Anna.Present(job, name, TestFarm.Package(job, change: change));
        return lie switch
        {
            "truncated" => TestFarm.Built(job, farm.Anna.Present(job, name, TestFarm.Package(job)[..^40])),
            "garbage" => TestFarm
                .Built(job, farm.Anna.Present(job, name, Encoding.ASCII.GetBytes("this is no package at all"))),
            "empty-name" => TestFarm.Built(job, Good() with { Name = "" }),
            "dotdot-name" => TestFarm.Built(job, Good() with { Name = "../" + name }),
            "wrong-digest" => TestFarm.Built(job, Good() with { Sha256 = new string('0', 64) }),
            "wrong-size" => TestFarm.Built(job, Good() with { Bytes = 7 }),
            "missing-file" => TestFarm.Built(job, new ResultFile(name, 10, new string('0', 64))),
            "other-pkgname" => TestFarm.Built(job, Changed(i => i with { Name = "bash" })),
            "other-version" => TestFarm.Built(job, Changed(i => i with { Version = PackageVersion.Parse("9-9") })),
            "other-packager" => TestFarm.Built(job, Changed(i => i with { Packager = "Mallory <m@example.org>" })),
            "other-arch" => TestFarm.Built(job, Changed(i => i with { Architecture = "any" })),
            "escape" => TestFarm.Built(
                job, farm.Anna.Present(job, name, TestFarm.Package(job, paths: "usr/../../etc/passwd"))),
            "absolute" => TestFarm.Built(
                job, farm.Anna.Present(job, name, TestFarm.Package(job, paths: "/etc/passwd"))),
            "foreign-installed" => TestFarm.Built(
                job, farm.Anna.Present(job, name, TestFarm.Package(job, installed: "glibc-6.6-6-x86_64"))),
            "unknown-snapshot" => TestFarm.Built(job, Good()) with { Snapshot = new string('5', 64) },
            "no-files" => TestFarm.Built(job),
            "two-files" => TestFarm.Built(job, Good(), Good()),
            "huge" => TestFarm.Built(job, Good() with { Bytes = long.MaxValue }),
            _ => throw new ArgumentOutOfRangeException(nameof(lie), lie, "no such lie"),
        };
    }
}
