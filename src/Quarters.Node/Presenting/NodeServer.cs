using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;

namespace Quarters.Node;

/// <summary>Where a node listens, and how much at once.</summary>
public sealed record ServerSettings
{
    /// <summary>The address and port to listen at; port 0 takes a free one.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>More connections than this are refused.</summary>
    public long ConnectionsLimit { get; init; } = 4096;
}

/// <summary>Kestrel, showing a <see cref="PublicTree"/> and <c>/metrics</c> over HTTPS with the node's
/// certificate.</summary>
public sealed class NodeServer : IAsyncDisposable
{
    /// <summary>Time for answers under way when the server stops.</summary>
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(5);

    private readonly WebApplication _application;

    private NodeServer(WebApplication application, int port)
    {
        _application = application;
        Port = port;
    }

    /// <summary>The port that it listens at.</summary>
    public int Port { get; }

    /// <summary>Its address for readers on this machine.</summary>
    public Uri LoopbackAddress => new($"https://localhost:{Port}/");

    /// <summary>Begins to listen.</summary>
    /// <exception cref="IOException">The port is taken, or may not be used.</exception>
    public static async Task<NodeServer> StartAsync(ServerSettings settings, Identity identity, PublicTree tree,
        ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = StopWithin);
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter(NodeMeter.Name, "Quarters.*", "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel")
            .AddPrometheusExporter());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            SetLimits(kestrel.Limits, settings);
            kestrel.AddServerHeader = false;
            kestrel.Listen(settings.Listen, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(new HttpsConnectionAdapterOptions
                {
                    ServerCertificate = identity.Certificate,
                    HandshakeTimeout = TimeSpan.FromSeconds(15),
                });
            });
        });
        var built = builder.Build();
        built.UseOpenTelemetryPrometheusScrapingEndpoint(context => context.Request.Path == "/metrics"
            && (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)));
        var stopping = built.Lifetime.ApplicationStopping;
        built.Run(context => tree.AnswerAsync(context, stopping));
        try
        {
            await built.StartAsync(cancellationToken);
        }
        catch
        {
            await built.DisposeAsync();
            throw;
        }

        var server = built.Services.GetRequiredService<IServer>();
        var address = server.Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return new NodeServer(built, new Uri(address).Port);
    }

    /// <summary>Stops listening; those who wait are answered first.</summary>
    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
    }

    private static void SetLimits(KestrelServerLimits limits, ServerSettings settings)
    {
        limits.MaxConcurrentConnections = settings.ConnectionsLimit;
        limits.MaxRequestBodySize = 0;
        limits.MaxRequestHeaderCount = 64;
        limits.MaxRequestHeadersTotalSize = 16 * 1024;
        limits.MaxRequestLineSize = 4 * 1024;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(130);
        limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(60);
    }
}
