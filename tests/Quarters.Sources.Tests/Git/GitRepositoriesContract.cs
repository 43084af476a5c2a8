using Quarters.Sources.Git;
using Quarters.Sources.Intake;
using Quarters.Sources.Tests.Contract;

namespace Quarters.Sources.Tests.Git;

/// <summary>Repositories of one package each, named by a file.</summary>
public sealed class GitRepositoriesContract : SourceContract
{
    private protected override Task<Upstream> CreateAsync(Workshop workshop) =>
        Task.FromResult<Upstream>(new RepositoriesUpstream(workshop));
}

/// <summary>Repositories of one package each behind a real Apache with git-http-backend, named by a directory of one of
/// them.</summary>
public sealed class GitRepositoriesHttpContract : SourceContract
{
    private protected override async Task<Upstream> CreateAsync(Workshop workshop)
    {
        var upstream = new ServedUpstream(workshop);
        await upstream.StartAsync();
        return upstream;
    }

    private sealed class ServedUpstream(Workshop workshop) : RepositoriesUpstream(workshop)
    {
        private readonly GitHttp _http = new(workshop.Files["upstream"]);
        private GitRepository _lists = null!;

        internal async Task StartAsync()
        {
            _lists = await GitRepository.CreateAsync(Workshop.Files["upstream/lists"]);
            await MendAsync();
        }

        internal override GitRepositoriesSettings Settings => base.Settings with
        {
            Url = _http.Url + "/tree/{name}/.git",
            ListUrl = _http.Url + "/lists/.git",
            List = "core",
        };

        internal override async Task PublishAsync(string author = Ada)
        {
            await base.PublishAsync(author);
            _lists.Write("core/names", string.Join('\n', Names));
            await _lists.CommitAsync();
        }

        internal override Task BreakAsync() => _http.StopAsync();

        internal override Task MendAsync() => _http.StartAsync();

        public override async ValueTask DisposeAsync()
        {
            await _http.StopAsync();
            await base.DisposeAsync();
        }
    }
}

/// <summary>A directory of real git repositories, and a file that names them.</summary>
internal class RepositoriesUpstream(Workshop workshop) : Upstream(workshop)
{
    internal override bool KnowsAuthors => true;

    internal virtual GitRepositoriesSettings Settings => new()
    {
        Name = "test",
        Url = Tree + "/{name}",
        List = Workshop.Files["upstream/list"],
        Repository = "core",
        StateDirectory = Workshop.Files["state"],
    };

    internal IEnumerable<string> Names =>
        Directory.GetDirectories(Tree).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    internal GitRepository Of(string name) => new(Path.Combine(Tree, name));

    internal override ISource Open(PackagerSettings packagers) =>
        new GitRepositoriesSource(Settings with { Packagers = packagers }, Workshop.Intake);

    internal override async Task PublishAsync(string author = Ada)
    {
        foreach (var name in Names)
        {
            var repository = Of(name);
            if (!Directory.Exists(Path.Combine(repository.Path, ".git")))
                await repository.RunAsync("init", "--quiet", "--initial-branch=main");
            if ((await repository.RunAsync("status", "--porcelain")).Length > 0)
                await repository.CommitAsync(author);
        }

        Workshop.Files.Write("upstream/list", "# packages\n" + string.Join('\n', Names));
    }

    internal override async Task RewriteAsync()
    {
        foreach (var name in Names.Where(name => Directory.Exists(Path.Combine(Tree, name, ".git"))))
            Directory.Delete(Path.Combine(Tree, name, ".git"), recursive: true);
        await PublishAsync(Bob);
    }

    internal override Task BreakAsync()
    {
        Directory.Move(Tree, Tree + ".away");
        return Task.CompletedTask;
    }

    internal override Task MendAsync()
    {
        Directory.Move(Tree + ".away", Tree);
        return Task.CompletedTask;
    }
}
