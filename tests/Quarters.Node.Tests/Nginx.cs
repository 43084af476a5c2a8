using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Quarters.Node.Tests;

/// <summary>
/// The real nginx with one of the configurations in contrib/nginx, of which only the lines marked "here" are filled in;
/// and an authority that vouches for its certificate.
/// </summary>
internal sealed class Nginx : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _folder;

    private Nginx(Process process, string folder, int port, int statusPort)
    {
        _process = process;
        _folder = folder;
        Status = new Uri($"http://127.0.0.1:{statusPort}/");
        Address = new Uri($"https://localhost:{port}/");
    }

    public Uri Address { get; }

    /// <summary>The certificate of the authority, PEM.</summary>
    public string AuthorityFile => Path.Combine(_folder, "authority.pem");

    /// <summary>Where it tells how many questions it is busy with.</summary>
    public Uri Status { get; }

    /// <summary>What was asked, a line each: the request, what was answered, what the node behind answered ("-" when it
    /// was not asked), and what was preferred.</summary>
    public string[] AccessLog => File.ReadAllLines(Path.Combine(_folder, "access.log"));

    public string ErrorLog => File.ReadAllText(Path.Combine(_folder, "error.log"));

    /// <summary>Starts it.</summary>
    /// <param name="configuration">The file's name in contrib/nginx.</param>
    /// <param name="name">The server name in it.</param>
    /// <param name="folder">Belongs to it.</param>
    /// <param name="filledIn">What stands in the file, and what takes its place.</param>
    public static async Task<Nginx> StartAsync(
        string configuration, string name, string folder, params (string From, string To)[] filledIn)
    {
        Directory.CreateDirectory(folder);
        WriteCertificates(folder);
        var (port, statusPort) = (FreePort.Take(), FreePort.Take());
        var text = await File.ReadAllTextAsync(
            Path.Combine(Checkout.Root, "contrib", "nginx", configuration), TestContext.Current.CancellationToken);
        var certificates = $"/etc/letsencrypt/live/{name}/";
        foreach (var (from, to) in filledIn.Append(("listen 443 ssl", $"listen 127.0.0.1:{port} ssl"))
            .Append((certificates + "fullchain.pem", Path.Combine(folder, "server.pem")))
            .Append((certificates + "privkey.pem", Path.Combine(folder, "server.key")))
            .Append(($"server_name {name};", "server_name localhost;")))
        {
            Assert.Contains(from, text, StringComparison.Ordinal);
            text = text.Replace(from, to, StringComparison.Ordinal);
        }

        await File.WriteAllTextAsync(
            Path.Combine(folder, "site.conf"), text, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "nginx.conf"), $$"""
            daemon off;
            master_process off;
            pid {{folder}}/nginx.pid;
            events { worker_connections 4096; }
            http {
                log_format asked '$request $status $upstream_status $http_prefer';
                access_log {{folder}}/access.log asked;
                client_body_temp_path {{folder}}/body;
                proxy_temp_path {{folder}}/proxy;
                fastcgi_temp_path {{folder}}/fastcgi;
                uwsgi_temp_path {{folder}}/uwsgi;
                scgi_temp_path {{folder}}/scgi;
                server { listen 127.0.0.1:{{statusPort}}; access_log off; location / { stub_status; } }
                include {{folder}}/site.conf;
            }
            """, TestContext.Current.CancellationToken);
        var log = Path.Combine(folder, "error.log");
        // Debian keeps it where only root's path leads.
        var program = File.Exists("/usr/sbin/nginx") ? "/usr/sbin/nginx" : "nginx";
        var started = Process.Start(new ProcessStartInfo(
            program, ["-p", folder, "-c", Path.Combine(folder, "nginx.conf"), "-e", log]))!;
        var nginx = new Nginx(started, folder, port, statusPort);
        await nginx.ListeningAsync(port);
        return nginx;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task ListeningAsync(int port)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(30));
        while (true)
        {
            Assert.False(_process.HasExited, "nginx ended: " + (_process.HasExited ? ErrorLog : ""));
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port, deadline.Token);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(20, deadline.Token);
            }
        }
    }

    private static void WriteCertificates(string folder)
    {
        var (from, until) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=An authority of a test", authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = request.CreateSelfSigned(from, until);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, from, until, [1, 2, 3, 4]);
        File.WriteAllText(Path.Combine(folder, "authority.pem"), authority.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "server.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "server.key"), key.ExportPkcs8PrivateKeyPem());
    }
}
