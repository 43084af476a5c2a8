using Quarters.Node.Tests;
using Quarters.Sources.Tests.Contract;

namespace Quarters.Sources.Tests.Svn;

/// <summary>A repository read from a path, <c>file:///</c>.</summary>
public sealed class SvnFileContract : SourceContract
{
    private protected override async Task<Upstream> CreateAsync(Workshop workshop)
    {
        var upstream = new SvnUpstream(workshop);
        await upstream.StartAsync();
        return upstream;
    }
}

/// <summary>A repository behind a real svnserve, <c>svn://</c>.</summary>
public sealed class SvnServeContract : SourceContract
{
    private protected override async Task<Upstream> CreateAsync(Workshop workshop)
    {
        var upstream = new ServedUpstream(workshop);
        await upstream.StartAsync();
        return upstream;
    }

    private sealed class ServedUpstream(Workshop workshop) : SvnUpstream(workshop)
    {
        private readonly int _port = FreePort.Take();
        private TestDaemon? _daemon;

        internal override string Url => $"svn://127.0.0.1:{_port}/svn";

        internal override async Task StartAsync()
        {
            await base.StartAsync();
            await MendAsync();
        }

        internal override async Task BreakAsync()
        {
            await _daemon!.DisposeAsync();
            _daemon = null;
        }

        internal override async Task MendAsync() => _daemon = await TestDaemon.StartAsync(
            _port, Root, "svnserve", "--daemon", "--foreground", "--root", Root, "--listen-host", "127.0.0.1",
            "--listen-port", $"{_port}");

        public override async ValueTask DisposeAsync()
        {
            if (_daemon is not null)
                await _daemon.DisposeAsync();
            await base.DisposeAsync();
        }
    }
}

/// <summary>A repository behind a real Apache with mod_dav_svn, <c>http://</c>.</summary>
public sealed class SvnApacheContract : SourceContract
{
    private protected override async Task<Upstream> CreateAsync(Workshop workshop)
    {
        var upstream = new ServedUpstream(workshop);
        await upstream.StartAsync();
        return upstream;
    }

    private sealed class ServedUpstream(Workshop workshop) : SvnUpstream(workshop)
    {
        private readonly int _port = FreePort.Take();
        private TestDaemon? _daemon;

        internal override string Url => $"http://127.0.0.1:{_port}/svn";

        internal override async Task StartAsync()
        {
            await base.StartAsync();
            // Apache gives up being root, and must still find the way.
            File.SetUnixFileMode(Workshop.Files.Root, (UnixFileMode)Convert.ToInt32("755", 8));
            await File.WriteAllTextAsync(
                Path.Combine(Root, "apache.conf"), Apache.Configuration(Root, _port, ["dav", "dav_svn"], $"""
                    <Location /svn>
                      DAV svn
                      SVNPath "{Repository}"
                    </Location>
                    """),
                TestContext.Current.CancellationToken);
            await MendAsync();
        }

        internal override async Task BreakAsync()
        {
            await _daemon!.DisposeAsync();
            _daemon = null;
        }

        internal override async Task MendAsync() =>
            _daemon = await Apache.StartAsync(_port, Root);

        public override async ValueTask DisposeAsync()
        {
            if (_daemon is not null)
                await _daemon.DisposeAsync();
            await base.DisposeAsync();
        }
    }
}
