using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;

namespace Quarters.Node.Tests;

/// <summary>A real server on a free port of the loopback, with its identity and tree.</summary>
internal sealed class RunningNode : IAsyncDisposable
{
    private RunningNode(TemporaryDirectory directory, Identity identity, PublicTree tree, NodeServer server)
    {
        Directory = directory;
        Identity = identity;
        Tree = tree;
        Server = server;
    }

    public TemporaryDirectory Directory { get; }

    public Identity Identity { get; }

    public PublicTree Tree { get; }

    public NodeServer Server { get; }

    public Uri this[string path] => new(Server.LoopbackAddress, path);

    public static async Task<RunningNode> StartAsync()
    {
        var directory = new TemporaryDirectory();
        var identity = Identity.Create(directory["identity"], "alder", [], TimeProvider.System);
        var tree = new PublicTree(identity, TimeProvider.System);
        var settings = new ServerSettings { Listen = new IPEndPoint(IPAddress.Loopback, 0) };
        var server = await NodeServer.StartAsync(settings, identity, tree, NullLoggerFactory.Instance,
            TestContext.Current.CancellationToken);
        return new RunningNode(directory, identity, tree, server);
    }

    /// <summary>A client that shows requests and answers as they are.</summary>
    public HttpClient Client() => new(new SocketsHttpHandler
    {
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            NodeKey.Of((X509Certificate2)certificate!) == Identity.PublicKey },
        AllowAutoRedirect = false,
        UseProxy = false,
    })
    {
        BaseAddress = Server.LoopbackAddress,
    };

    public Puller Puller() => new(Identity.PublicKey, new PullerSettings(), TimeProvider.System, () => 0.5);

    public string WriteFile(string name, byte[] bytes)
    {
        var path = Directory[name];
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Identity.Dispose();
        Directory.Dispose();
    }
}

internal static class Ask
{
    private static CancellationToken Deadline => TestContext.Current.CancellationToken;

    public static async Task<HttpResponseMessage> AskAsync(this HttpClient client, string path,
        HttpMethod? method = null,
        string? tag = null, string? range = null, string? ifRange = null, int? wait = null, string? coding = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
        if (tag is not null)
            request.Headers.TryAddWithoutValidation("If-None-Match", tag);
        if (range is not null)
            request.Headers.Range = RangeHeaderValue.Parse(range);
        if (ifRange is not null)
            request.Headers.TryAddWithoutValidation("If-Range", ifRange);
        if (wait is not null)
            request.Headers.Add("Prefer", $"wait={wait}");
        if (coding is not null)
            request.Headers.Add("Accept-Encoding", coding);
        return await client.SendAsync(request, Deadline);
    }

    public static Task<string> TextAsync(this HttpResponseMessage response) =>
        response.Content.ReadAsStringAsync(Deadline);

    public static Task<byte[]> BytesAsync(this HttpResponseMessage response) =>
        response.Content.ReadAsByteArrayAsync(Deadline);

    /// <summary>Waits until something is so; fails when it is not within a generous time.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Deadline);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        while (!condition())
            await Task.Delay(5, limit.Token);
    }
}
