using System.Net;
using System.Security.Cryptography.X509Certificates;
using Quarters.Core.Planning;
using Quarters.Node;
using Quarters.Node.Tests;

namespace Quarters.Master.Tests;

/// <summary>A real master behind the real nginx as contrib/nginx/quarters-master.conf sets it up.</summary>
[Collection(Forking.Name)]
public sealed class FrontTests : IAsyncLifetime
{
    private const int Pollers = 1000;
    private const int Polls = 3;

    private TestFarm _farm = null!;
    private Nginx _nginx = null!;

    private static CancellationToken Cancel => TestFarm.Token;

    public async ValueTask InitializeAsync()
    {
        _farm = await TestFarm.StartAsync();
        var folder = Path.Combine(_farm.Folder, "nginx");
        _nginx = await Nginx.StartAsync("quarters-master.conf", "packages.example.org", folder,
            ("/var/cache/nginx/quarters", Path.Combine(folder, "cache")),
            ("127.0.0.1:7373", $"127.0.0.1:{_farm.Master.Address.Port}"),
            ("/etc/quarters/master.pem", Path.Combine(_farm.State, "identity", "cert.pem")));
    }

    public async ValueTask DisposeAsync()
    {
        await _nginx.DisposeAsync();
        await _farm.DisposeAsync();
    }

    [Fact]
    public async Task A_thousand_pollers_cost_the_master_what_a_few_cost()
    {
        var began = TimeProvider.System.GetTimestamp();
        await PollAllAsync(new Uri(_nginx.Address, "v1/queue.json"));

        // One question a second, however many ask; seconds are counted since the machine of a test may be slow.
        var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        var log = _nginx.AccessLog.Where(line => line.Contains("queue.json", StringComparison.Ordinal)).ToList();
        var passedOn = log.Count(IsPassedOn);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{log.Count} polls within {seconds:0.0} s were {passedOn} requests at the master");
        Assert.Equal(Pollers * Polls, log.Count);
        Assert.True(passedOn <= seconds + 2, $"{passedOn} requests in {seconds} s");
        Assert.True(passedOn * 50 <= log.Count, $"{log.Count} polls were {passedOn} requests");
    }

    [Fact]
    public async Task A_thousand_that_wait_are_one_that_waits_and_all_learn_the_news()
    {
        var queue = new Uri(_nginx.Address, "v1/queue.json");
        using var client = Client();
        using var first = await client.GetAsync(queue, Cancel);
        var waiting = Enumerable.Range(0, Pollers).Select(async _ =>
        {
            using var answer = await AskAsync(client, queue, first.Headers.ETag!.ToString(), wait: 50);
            return (answer.StatusCode, Body: await answer.Content.ReadAsStringAsync(Cancel));
        }).ToList();
        await TestFarm.UntilAsync(
            async () => await BusyAsync(client) > Pollers ? "" : null, "all of them wait at the front");

        _farm.Source.Commit("zlib 1.3-1");
        var answers = await Task.WhenAll(waiting);

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Assert.All(answers, answer => Assert.Contains("zlib", answer.Body, StringComparison.Ordinal));
        var passedOn = _nginx.AccessLog.Count(
            line => line.Contains("wait=50", StringComparison.Ordinal) && IsPassedOn(line));
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{Pollers} waiting readers were {passedOn} requests at the master");
        Assert.InRange(passedOn, 1, 5);
    }

    [Fact]
    public async Task Who_waits_in_vain_is_told_so_and_may_wait_again()
    {
        var queue = new Uri(_nginx.Address, "v1/queue.json");
        using var client = Client();
        using var first = await client.GetAsync(queue, Cancel);
        var tag = first.Headers.ETag!.ToString();

        for (var i = 0; i < 2; i++)
        {
            using var nothing = await AskAsync(client, queue, tag, wait: 1);
            Assert.Equal(HttpStatusCode.NotModified, nothing.StatusCode);
        }

        _farm.Source.Commit("zlib 1.3-1");
        await _farm.QueuedAsync("zlib");
        // An answer of before may stand for a second; then everybody sees the news, whether it waits or not.
        await TestFarm.UntilAsync(async () =>
        {
            using var waited = await AskAsync(client, queue, tag, wait: 1);
            return waited.StatusCode == HttpStatusCode.OK ? "" : null;
        }, "who waits sees the news");
        using var current = await AskAsync(client, queue, tag, wait: null);
        Assert.Equal(HttpStatusCode.OK, current.StatusCode);
        Assert.NotEqual(tag, current.Headers.ETag!.ToString());
        using var known = await AskAsync(client, queue, current.Headers.ETag!.ToString(), wait: null);
        Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);
    }

    [Fact]
    public async Task A_builder_reads_through_the_front_as_it_reads_the_master()
    {
        _farm.Source.Commit("zlib 1.3-1");
        var zlib = await _farm.QueuedAsync("zlib");
        var settings = new PullerSettings { AuthoritiesFile = _nginx.AuthorityFile };
        using var puller = new Puller(_farm.Master.Key, settings, TimeProvider.System, () => 0.5);
        foreach (var path in new[] { "v1/queue.json", $"v1/jobs/{zlib.Id}.json", "v1/builders.json", "v1/node.json" })
        {
            var read = await puller.GetDocumentAsync(
                new Uri(_nginx.Address, path), null, TimeSpan.Zero, 1 << 20, Cancel);
            Assert.True(read is PullResult.Document, $"{path}: {read}");
        }

        Assert.IsType<PullResult.Document>(await puller.GetFileAsync(
            new Uri(_nginx.Address, $"snapshot/{zlib.Snapshot}/snapshot.json"), 1 << 20, Cancel));
    }

    [Fact]
    public async Task Pacman_reads_through_the_front_and_goes_on_when_the_master_is_away()
    {
        _farm.Source.Commit("zlib 1.3-1");
        var zlib = await _farm.QueuedAsync("zlib");
        var built = TestFarm.Built(zlib, _farm.Anna.Present(zlib, TestFarm.FileName(zlib), TestFarm.Package(zlib)));
        _farm.Anna.Say([], [built]);
        await _farm.JobAsync(zlib.Id, job => job.Status == JobStatus.Built, "zlib is built");
        var configuration = Path.Combine(_farm.Folder, "pacman.conf");
        await File.WriteAllTextAsync(configuration, $"""
            [options]
            Architecture = x86_64
            SigLevel = Never
            XferCommand = /usr/bin/curl --silent --show-error --fail --cacert {_nginx.AuthorityFile} -L -o %o %u
            [quarters]
            Server = {_nginx.Address}repo/$repo/os/$arch
            """, Cancel);

        Assert.Contains("quarters zlib 1.3-1", Pacman(configuration, "first", "-Sl"), StringComparison.Ordinal);
        Pacman(configuration, "first", "-Sw", "--noconfirm", "-dd", "zlib");
        await _farm.StopMasterAsync();
        try
        {
            Assert.Contains("quarters zlib 1.3-1", Pacman(configuration, "second", "-Sl"), StringComparison.Ordinal);
            Pacman(configuration, "second", "-Sw", "--noconfirm", "-dd", "zlib");
            using var client = Client();
            await TestFarm.UntilAsync(async () =>
            {
                // Readers of documents must notice that nobody is there.
                using var answer = await client.GetAsync(new Uri(_nginx.Address, "v1/state.json"), Cancel);
                return answer.StatusCode == HttpStatusCode.BadGateway ? "" : null;
            }, "documents are not shown when the master is away");
        }
        finally
        {
            await _farm.StartMasterAsync();
        }
    }

    private string Pacman(string configuration, string root, params string[] arguments)
    {
        var folder = Path.Combine(_farm.Folder, root);
        var database = Directory.CreateDirectory(Path.Combine(folder, "var", "lib", "pacman")).FullName;
        var cache = Directory.CreateDirectory(Path.Combine(folder, "cache")).FullName;
        string[] common =
            ["--config", configuration, "--root", folder, "--dbpath", database, "--cachedir", cache,
                "--disable-download-timeout"];
        MasterNodeTests.Run("pacman", [.. common, "-Sy"]);
        return MasterNodeTests.Run("pacman", [.. common, .. arguments]);
    }

    /// <summary>Clients over connections that stay, each with the tag that it saw last.</summary>
    private static async Task PollAllAsync(Uri url)
    {
        using var client = Client();
        await Task.WhenAll(Enumerable.Range(0, Pollers).Select(async _ =>
        {
            string? tag = null;
            for (var i = 0; i < Polls; i++)
            {
                using var answer = await AskAsync(client, url, tag, wait: null);
                Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotModified);
                await answer.Content.CopyToAsync(Stream.Null, Cancel);
                tag = answer.Headers.ETag!.ToString();
            }
        }));
    }

    private static async Task<HttpResponseMessage> AskAsync(HttpClient client, Uri url, string? tag, int? wait)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Add("Accept-Encoding", "identity");
        if (tag is not null)
            request.Headers.TryAddWithoutValidation("If-None-Match", tag);
        if (wait is not null)
            request.Headers.Add("Prefer", $"wait={wait}");
        return await client.SendAsync(request, Cancel);
    }

    /// <summary>Whether the master was asked for a line of the log: others only waited for its answer.</summary>
    private static bool IsPassedOn(string line) => line.Split(' ')[4] != "-";

    /// <summary>How many questions the front has not answered yet, this one included.</summary>
    private async Task<int> BusyAsync(HttpClient client)
    {
        var text = await client.GetStringAsync(_nginx.Status, Cancel);
        return int.Parse(text.Split("Writing: ")[1].Split(' ')[0], null);
    }

    private static HttpClient Client() => new(new SocketsHttpHandler
    {
        SslOptions =
        {
            RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                certificate is X509Certificate2 { IssuerName.Name: "CN=An authority of a test" },
        },
        UseProxy = false,
        MaxConnectionsPerServer = Pollers,
    })
    {
        Timeout = TimeSpan.FromMinutes(2),
    };
}
