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
        private readonly GitHttp http = new(workshop.Files["upstream"]);

        internal override string Url => http.Url + "/tree/.git";

        internal override Task BreakAsync() => http.StopAsync();

        internal override Task MendAsync() => http.StartAsync();

        public override async ValueTask DisposeAsync()
        {
            await http.StopAsync();
            await base.DisposeAsync();
        }
    }
}

/// <summary>A real git repository with one directory a package.</summary>
internal class GitUpstream(Workshop workshop) : Upstream(workshop)
{
    private GitRepository repository = null!;

    internal override bool KnowsAuthors => true;

    internal virtual string Url => Tree;

    internal async Task StartAsync() => repository = await GitRepository.CreateAsync(Tree);

    internal override ISource Open(PackagerSettings packagers) =>
        new GitSource(Workshop.Git(Url) with { Packagers = packagers }, Workshop.Intake);

    internal override Task PublishAsync(string author = Ada) => repository.CommitAsync(author);

    internal override async Task RewriteAsync()
    {
        await repository.RunAsync("checkout", "--quiet", "--orphan", "other");
        await repository.CommitAsync();
        await repository.RunAsync("branch", "--quiet", "--force", "main", "other");
        await repository.RunAsync("checkout", "--quiet", "main");
        await repository.RunAsync("branch", "--quiet", "-D", "other");
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
