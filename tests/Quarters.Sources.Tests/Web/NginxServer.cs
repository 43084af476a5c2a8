using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Quarters.Node.Tests;

namespace Quarters.Sources.Tests.Web;

/// <summary>The real nginx over plain HTTP, with fcgiwrap for programs behind it.</summary>
internal sealed class NginxServer : IAsyncDisposable
{
    private readonly string _folder;
    private readonly int _port = FreePort.Take();
    private Process? _nginx;
    private Process? _programs;

    private NginxServer(string folder) => _folder = folder;

    internal Uri Address => new($"http://127.0.0.1:{_port}/");

    /// <summary>What was asked, a line each: the request and what was answered. nginx answers first and writes
    /// afterwards, in order: when a last question stands there all before it do.</summary>
    internal async Task<string[]> AskedAsync()
    {
        var last = $"/last-question-{++_lastQuestions}";
        using (var client = new HttpClient())
        using (await client.GetAsync(new Uri(Address, last), TestContext.Current.CancellationToken)) { }

        string[] lines = [];
        await WaitAsync(() =>
        {
            lines = File.Exists(LogPath) ? File.ReadAllLines(LogPath) : [];
            return lines.Any(line => line.StartsWith(last + " ", StringComparison.Ordinal));
        });
        return [.. lines.Where(line => !line.StartsWith("/last-question-", StringComparison.Ordinal))];
    }

    private int _lastQuestions;

    private string LogPath => Path.Combine(_folder, "access.log");

    /// <summary>Starts it.</summary>
    /// <param name="folder">Belongs to it.</param>
    /// <param name="locations">What stands in <c>server { }</c>; <c>PROGRAMS</c> is the socket of fcgiwrap.</param>
    internal static async Task<NginxServer> StartAsync(string folder, string locations)
    {
        Directory.CreateDirectory(folder);
        var server = new NginxServer(folder);
        var socket = Path.Combine(folder, "programs.socket");
        await File.WriteAllTextAsync(Path.Combine(folder, "nginx.conf"), $$"""
            daemon off;
            master_process off;
            pid {{folder}}/nginx.pid;
            events { worker_connections 256; }
            http {
                log_format asked '$request_uri $status';
                access_log {{folder}}/access.log asked;
                client_body_temp_path {{folder}}/body;
                proxy_temp_path {{folder}}/proxy;
                fastcgi_temp_path {{folder}}/fastcgi;
                uwsgi_temp_path {{folder}}/uwsgi;
                scgi_temp_path {{folder}}/scgi;
                types { application/json json; text/html html; }
                default_type application/octet-stream;
                server {
                    listen 127.0.0.1:{{server._port}};
                    {{locations.Replace("PROGRAMS", $"unix:{socket}", StringComparison.Ordinal)}}
                }
            }
            """, TestContext.Current.CancellationToken);
        if (locations.Contains("PROGRAMS", StringComparison.Ordinal))
        {
            server._programs = Process.Start(Find("fcgiwrap"), ["-c", "4", "-s", "unix:" + socket]);
            await server.WaitAsync(() => File.Exists(socket));
        }

        await server.StartAsync();
        return server;
    }

    /// <summary>Listens again after <see cref="StopAsync"/>.</summary>
    internal async Task StartAsync()
    {
        _nginx = Process.Start(Find("nginx"),
            ["-p", _folder, "-c", Path.Combine(_folder, "nginx.conf"), "-e", Path.Combine(_folder, "error.log")]);
        await WaitAsync(() =>
        {
            Assert.False(_nginx!.HasExited, "nginx ended; see error.log");
            try
            {
                using var client = new TcpClient();
                client.Connect(IPAddress.Loopback, _port);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        });
    }

    /// <summary>Nobody answers any more.</summary>
    internal async Task StopAsync() => _nginx = await EndAsync(_nginx);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _programs = await EndAsync(_programs);
    }

    private static async Task<Process?> EndAsync(Process? process)
    {
        if (process is null)
            return null;
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        return null;
    }

    private async Task WaitAsync(Func<bool> condition)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(30));
        while (!condition())
            await Task.Delay(20, deadline.Token);
    }

    // Debian keeps them where only root's path leads.
    private static string Find(string program) =>
        File.Exists("/usr/sbin/" + program) ? "/usr/sbin/" + program : program;
}
