using Quarters.Sources.Git;
using Quarters.Sources.Intake;
using Quarters.Sources.Tests.Contract;

namespace Quarters.Sources.Tests.Git;

/// <summary>A repository with one directory a package, read from a path.</summary>
public sealed class GitContract : SourceContract
{
    private protected override async Task<Upstream> CreateAsync(Workshop workshop)
    {
        var upstream = new GitUpstream(workshop);
        await upstream.StartAsync();
        return upstream;
    }
}

/// <summary>A repository behind a real Apache with git-http-backend, <c>http://</c>.</summary>
public sealed class GitHttpContract : SourceContract
{
    private protected override async Task<Upstream> CreateAsync(Workshop workshop)
    {
        var upstream = new ServedUpstream(workshop);
        await upstream.StartAsync();
        await upstream.MendAsync();
        return upstream;
    }

    private sealed class ServedUpstream(Workshop workshop) : GitUpstream(workshop)
    {
        private readonly GitHttp _http = new(workshop.Files["upstream"]);

        internal override string Url => _http.Url + "/tree/.git";

        internal override Task BreakAsync() => _http.StopAsync();

        internal override Task MendAsync() => _http.StartAsync();

        public override async ValueTask DisposeAsync()
        {
            await _http.StopAsync();
            await base.DisposeAsync();
        }
    }
}

/// <summary>A real git repository with one directory a package.</summary>
internal class GitUpstream(Workshop workshop) : Upstream(workshop)
{
    private GitRepository _repository = null!;

    internal override bool KnowsAuthors => true;

    internal virtual string Url => Tree;

    internal async Task StartAsync() => _repository = await GitRepository.CreateAsync(Tree);

    internal override ISource Open(PackagerSettings packagers) =>
        new GitSource(Workshop.Git(Url) with { Packagers = packagers }, Workshop.Intake);

    internal override Task PublishAsync(string author = Ada) => _repository.CommitAsync(author);

    internal override async Task RewriteAsync()
    {
        await _repository.RunAsync("checkout", "--quiet", "--orphan", "other");
        await _repository.CommitAsync();
        await _repository.RunAsync("branch", "--quiet", "--force", "main", "other");
        await _repository.RunAsync("checkout", "--quiet", "main");
        await _repository.RunAsync("branch", "--quiet", "-D", "other");
    }

    internal override Task BreakAsync()
    {
        Directory.Move(Path.Combine(Tree, ".git"), Path.Combine(Tree, ".away"));
        return Task.CompletedTask;
    }

    internal override Task MendAsync()
    {
        Directory.Move(Path.Combine(Tree, ".away"), Path.Combine(Tree, ".git"));
        return Task.CompletedTask;
    }
}
