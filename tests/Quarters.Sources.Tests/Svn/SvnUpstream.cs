using Quarters.Sources.Intake;
using Quarters.Sources.Svn;
using Quarters.Sources.Tests.Contract;
using Quarters.Sources.Versioned;

namespace Quarters.Sources.Tests.Svn;

/// <summary>A real Subversion repository in Arch's layout; its subclasses say how it is reached.</summary>
internal class SvnUpstream(Workshop workshop) : Upstream(workshop)
{
    /// <summary>Where repositories are: this one, and what was moved away.</summary>
    protected string Root => Workshop.Files["upstream"];

    protected string Repository => Path.Combine(Root, "svn");

    internal virtual string Url => new Uri(Repository).AbsoluteUri;

    internal override bool KnowsAuthors => true;

    internal override string Named(string author) => author.Split(' ')[0];

    /// <summary>A package is in its <c>trunk</c>.</summary>
    internal override string PathOf(string relative)
    {
        var slash = relative.IndexOf('/', StringComparison.Ordinal);
        return Path.Combine(Tree, relative[..slash], "trunk", relative[(slash + 1)..]);
    }

    internal virtual async Task StartAsync()
    {
        Directory.CreateDirectory(Root);
        await CreateRepositoryAsync();
        await TestProgram.RunAsync(Root, "svn", "checkout", "--quiet", new Uri(Repository).AbsoluteUri, Tree);
    }

    internal SvnSourceSettings Settings => new()
    {
        Name = "test",
        Url = Url,
        Layout = new PackageLayout { Picks = ["trunk"] },
        Repository = "core",
        StateDirectory = Workshop.Files["state"],
    };

    internal override ISource Open(PackagerSettings packagers) =>
        new SvnSource(Settings with { Packagers = packagers }, Workshop.Intake);

    internal override async Task PublishAsync(string author = Ada)
    {
        var status = await TestProgram.RunAsync(Tree, "svn", "status");
        foreach (var line in status.Split('\n').Where(line => line.StartsWith('!')))
            await TestProgram.RunAsync(Tree, "svn", "delete", "--quiet", line[8..] + "@");
        await TestProgram.RunAsync(Tree, "svn", "add", "--quiet", "--force", ".");
        await TestProgram.RunAsync(Tree, "svn", "commit", "--quiet", "-m", "change", "--username", Named(author));
        await TestProgram.RunAsync(Tree, "svn", "update", "--quiet");
    }

    internal override async Task RewriteAsync()
    {
        Directory.Delete(Repository, recursive: true);
        await CreateRepositoryAsync();
        Directory.Delete(Path.Combine(Tree, ".svn"), recursive: true);
        await TestProgram.RunAsync(
            Root, "svn", "checkout", "--quiet", "--force", new Uri(Repository).AbsoluteUri, Tree);
        await PublishAsync();
        // As many revisions as there were before, so that the numbers alone tell nothing.
        await TestProgram.RunAsync(
            Tree, "svn", "propset", "--quiet", "note", "second", ".");
        await PublishAsync();
    }

    internal override Task BreakAsync()
    {
        Directory.Move(Repository, Repository + ".away");
        return Task.CompletedTask;
    }

    internal override Task MendAsync()
    {
        Directory.Move(Repository + ".away", Repository);
        return Task.CompletedTask;
    }

    private async Task CreateRepositoryAsync()
    {
        await TestProgram.RunAsync(Root, "svnadmin", "create", Repository);
        await File.WriteAllTextAsync(
            Path.Combine(Repository, "conf/svnserve.conf"), "[general]\nanon-access = read\n",
            TestContext.Current.CancellationToken);
    }
}
