using Quarters.Node.Tests;
using Quarters.Sources.Hg;
using Quarters.Sources.Intake;
using Quarters.Sources.Tests.Contract;

namespace Quarters.Sources.Tests.Hg;

/// <summary>A Mercurial repository read from a path.</summary>
public sealed class HgContract : SourceContract
{
    private protected override async Task<Upstream> CreateAsync(Workshop workshop)
    {
        var upstream = new HgUpstream(workshop);
        await upstream.StartAsync();
        return upstream;
    }
}

/// <summary>A Mercurial repository behind a real <c>hg serve</c>, <c>http://</c>.</summary>
public sealed class HgServeContract : SourceContract
{
    private protected override async Task<Upstream> CreateAsync(Workshop workshop)
    {
        var upstream = new ServedUpstream(workshop);
        await upstream.StartAsync();
        await upstream.MendAsync();
        return upstream;
    }

    private sealed class ServedUpstream(Workshop workshop) : HgUpstream(workshop)
    {
        private readonly int _port = FreePort.Take();
        private TestDaemon? _daemon;

        internal override string Url => $"http://127.0.0.1:{_port}/";

        internal override async Task BreakAsync()
        {
            await _daemon!.DisposeAsync();
            _daemon = null;
        }

        internal override async Task MendAsync() => _daemon = await TestDaemon.StartAsync(
            _port, Tree, "hg", "serve", "--address", "127.0.0.1", "--port", $"{_port}");

        public override async ValueTask DisposeAsync()
        {
            if (_daemon is not null)
                await _daemon.DisposeAsync();
            await base.DisposeAsync();
        }
    }
}

/// <summary>A real Mercurial repository with one directory a package.</summary>
internal class HgUpstream(Workshop workshop) : Upstream(workshop)
{
    internal virtual string Url => Tree;

    internal override bool KnowsAuthors => true;

    internal async Task StartAsync()
    {
        Directory.CreateDirectory(Tree);
        await TestProgram.RunAsync(Tree, "hg", "init");
    }

    internal HgSourceSettings Settings => new()
    {
        Name = "test",
        Url = Url,
        Repository = "core",
        StateDirectory = Workshop.Files["state"],
    };

    internal override ISource Open(PackagerSettings packagers) =>
        new HgSource(Settings with { Packagers = packagers }, Workshop.Intake);

    internal override Task PublishAsync(string author = Ada) => TestProgram.RunAsync(
        Tree, "hg", "commit", "--quiet", "--addremove", "-m", "change", "--user", author);

    internal override async Task RewriteAsync()
    {
        await TestProgram.RunAsync(
            Tree, "hg", "--config", "extensions.strip=", "strip", "--quiet", "--keep", "--no-backup", "--force",
            "all()");
        await PublishAsync();
    }

    internal override Task BreakAsync()
    {
        Directory.Move(Path.Combine(Tree, ".hg"), Path.Combine(Tree, ".away"));
        return Task.CompletedTask;
    }

    internal override Task MendAsync()
    {
        Directory.Move(Path.Combine(Tree, ".away"), Path.Combine(Tree, ".hg"));
        return Task.CompletedTask;
    }
}
