using System.Net;
using System.Security.Cryptography;
using Quarters.Chroots.Repositories;
using Quarters.Core.Documents;
using Quarters.Node.Tests;

namespace Quarters.Chroots.Tests;

/// <summary>Repositories whose packages have to be fetched. The builds end at a dependency that nobody provides, when
/// the root has been made: so nothing here waits for makepkg.</summary>
public sealed class PackageFetchTests(Workbench bench)
{
    private const string Mirror = "https://mirror.invalid/core";

    [Fact]
    public async Task What_no_folder_has_is_fetched_once_and_checked()
    {
        var asked = new List<NeededPackage>();
        var store = Store("fetching");
        var request = Request((needed, into, _) =>
        {
            asked.AddRange(needed);
            return CopyAsync(needed, into);
        });

        var first = await FailedAsync(store, request);
        var second = await FailedAsync(Store("fetching"), request);

        Assert.Equal("dependencies", first.Stage);
        Assert.Equal("dependencies", second.Stage);
        Assert.Contains(asked, package => package.FileName.StartsWith("glibc-", StringComparison.Ordinal));
        Assert.Equal(asked.Count, asked.DistinctBy(package => package.FileName).Count());
        Assert.All(asked, package => Assert.Equal([Mirror], package.Servers));
        Assert.Equal(asked.Count, Directory.GetFiles(bench["fetching/cache"]).Length);
    }

    [Fact]
    public async Task A_file_that_is_not_what_the_database_says_is_refused()
    {
        var request = Request((needed, into, _) =>
        {
            foreach (var package in needed)
                File.WriteAllText(Path.Combine(into, package.FileName), "something else");
            return Task.CompletedTask;
        });

        var failure = await FailedAsync(Store("fetching-lies"), request);

        Assert.Equal("root", failure.Stage);
        Assert.Equal(FailureKind.Environment, failure.Kind);
        Assert.Contains("was fetched with SHA-256", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(bench["fetching-lies/cache"]));
    }

    [Fact]
    public async Task A_mirror_that_does_not_answer_is_told()
    {
        var failure = await FailedAsync(
            Store("fetching-fails"), Request((_, _, _) => throw new HttpRequestException("no route to the mirror")));

        Assert.Equal(FailureKind.Environment, failure.Kind);
        Assert.Equal("Packages could not be fetched: no route to the mirror", failure.Message);
    }

    [Fact]
    public async Task Builds_that_ask_at_once_share_one_root()
    {
        var store = Store("sharing");
        var calls = 0;
        var request = Request((needed, into, _) =>
        {
            Interlocked.Increment(ref calls);
            return CopyAsync(needed, into);
        });

        var failures = await Task
            .WhenAll(FailedAsync(store, request), FailedAsync(Store("sharing"), request), FailedAsync(store, request));

        Assert.All(failures, failure => Assert.Equal("dependencies", failure.Stage));
        Assert.Equal(1, calls);
        Assert.Single(Directory.GetDirectories(bench["sharing/roots"]));
        Assert.Empty(Directory.GetDirectories(bench["sharing/work"]));
    }

    [Fact]
    public async Task For_what_was_fetched_ahead_the_build_asks_nobody()
    {
        var fetched = new List<string>();
        var log = new LogText();
        string source;
        using (var web = new HttpListener())
        {
            var address = $"http://127.0.0.1:{FreePort.Take()}/";
            web.Prefixes.Add(address);
            web.Start();
            source = bench.Package("ahead", $$"""
                source=({{address}}far.txt)
                sha256sums=({{Convert.ToHexStringLower(SHA256.HashData("far"u8))}})
                package() { install -D -m 644 far.txt "$pkgdir/usr/share/ahead"; }
                """);
            var answering = AnswerAsync(web, "far"u8.ToArray());
            await bench.Chroots.FetchAsync(
                Full(source, log, (needed, into, _) =>
                {
                    fetched.AddRange(needed.Select(package => package.FileName));
                    return CopyAsync(needed, into);
                }),
                Workbench.Cancellation);
            await answering;
        }

        var built = await bench.BuiltAsync(
            Full(source, log, (_, _, _) => throw new HttpRequestException("the mirror is gone")));

        Assert.Contains(fetched, name => name.StartsWith("git-", StringComparison.Ordinal));
        Assert.Contains("Found far.txt", log.ToString(), StringComparison.Ordinal);
        Assert.Single(built.Packages);
    }

    private static async Task AnswerAsync(HttpListener web, byte[] content)
    {
        var question = await web.GetContextAsync();
        await question.Response.OutputStream.WriteAsync(content, Workbench.Cancellation);
        question.Response.Close();
    }

    private Task CopyAsync(IEnumerable<NeededPackage> needed, string into)
    {
        foreach (var package in needed)
            File.Copy(Path.Combine(bench.Repository, package.FileName), Path.Combine(into, package.FileName));
        return Task.CompletedTask;
    }

    private Builds.BuildRequest Full(string source, LogText log, FetchPackages fetch) =>
        bench.Request(source, log.Append) with
        {
            Snapshot = RepositorySnapshot.Pin("x86_64", [bench.Core(Mirror)]),
            Dependencies = ["git"],
            Fetch = fetch,
        };

    private ChrootStore Store(string name) =>
        new(new ChrootOptions { Directory = bench[name], Time = TimeProvider.System });

    private Builds.BuildRequest Request(FetchPackages fetch) =>
        bench.Request(bench.Package("fetcher", "package() { :; }")) with
        {
            Snapshot = RepositorySnapshot.Pin("x86_64", [bench.Core(Mirror)]),
            Dependencies = ["nobody-has-it"],
            // Small: this is about fetching.
            BasePackages = ["bash"],
            Fetch = fetch,
        };

    private static async Task<BuildFailure> FailedAsync(ChrootStore store, Builds.BuildRequest request) =>
        Assert.IsType<Builds.BuildOutcome.Failed>(await store.BuildAsync(request, Workbench.Cancellation)).Failure;
}
