using Quarters.Sources.Directories;
using Quarters.Sources.Intake;
using Quarters.Sources.Tests.Contract;

namespace Quarters.Sources.Tests.Directories;

/// <summary>A directory of this machine: writing is publishing.</summary>
public sealed class DirectoryContract : SourceContract
{
    private protected override Task<Upstream> CreateAsync(Workshop workshop) =>
        Task.FromResult<Upstream>(new DirectoryUpstream(workshop));

    private sealed class DirectoryUpstream(Workshop workshop) : Upstream(workshop)
    {
        private string Away => Tree + ".away";

        internal override bool KnowsAuthors => false;

        internal override ISource Open(PackagerSettings packagers) => new DirectorySource(
            new DirectorySourceSettings
            {
                Name = "test",
                Path = Tree,
                Repository = "core",
                Packagers = packagers,
                StateDirectory = Workshop.Files["state"],
            },
            Workshop.Intake);

        internal override Task PublishAsync(string author = Ada) => Task.CompletedTask;

        internal override Task RewriteAsync() => Task.CompletedTask;

        internal override Task BreakAsync()
        {
            Directory.Move(Tree, Away);
            return Task.CompletedTask;
        }

        internal override Task MendAsync()
        {
            Directory.Move(Away, Tree);
            return Task.CompletedTask;
        }
    }
}
