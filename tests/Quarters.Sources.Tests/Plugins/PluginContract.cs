using Quarters.Linux.Processes;
using Quarters.Sources.Intake;
using Quarters.Sources.Plugins;
using Quarters.Sources.Tests.Contract;

namespace Quarters.Sources.Tests.Plugins;

/// <summary>The plug-in in contrib/plugins, as its users run it.</summary>
public sealed class PluginContract : SourceContract
{
    private protected override Task<Upstream> CreateAsync(Workshop workshop) =>
        Task.FromResult<Upstream>(new DroppedArchives(workshop));

    private sealed class DroppedArchives(Workshop workshop) : Upstream(workshop)
    {
        private string Folder => Workshop.Files["dropped"];

        internal override bool KnowsAuthors => false;

        internal override ISource Open(PackagerSettings packagers) => new PluginSource(
            new PluginSourceSettings
            {
                Name = "test",
                Command = [Checkout.PathOf("contrib/plugins/dropped-archives"), Folder],
                Repository = "core",
                Packagers = packagers,
                StateDirectory = Workshop.Files["state"],
            },
            Workshop.Intake);

        internal override async Task PublishAsync(string author = Ada)
        {
            Directory.CreateDirectory(Folder);
            foreach (var archive in Directory.GetFiles(Folder))
            {
                if (!Directory.Exists(Path.Combine(Tree, Path.GetFileName(archive).Split('.')[0])))
                    File.Delete(archive);
            }

            foreach (var package in Directory.GetDirectories(Tree))
            {
                var archive = $"{Folder}/{Path.GetFileName(package)}.tar.gz";
                var made = archive + ".new";
                var result = await ProcessRunner.RunAsync(
                    new ProcessSpec
                    {
                        FileName = "tar",
                        Arguments = ["-czf", made, "--sort=name", "--mtime=@1700000000", "-C", package, "."],
                    },
                    TestContext.Current.CancellationToken);
                Assert.True(result.Succeeded, result.StandardError);
                // As rsync does: what is the same stays as it is.
                if (File.Exists(archive) && File.ReadAllBytes(archive).SequenceEqual(File.ReadAllBytes(made)))
                    File.Delete(made);
                else
                    File.Move(made, archive, overwrite: true);
            }
        }

        internal override Task RewriteAsync() => PublishAsync();

        internal override Task BreakAsync()
        {
            Directory.Move(Folder, Folder + ".away");
            return Task.CompletedTask;
        }

        internal override Task MendAsync()
        {
            Directory.Move(Folder + ".away", Folder);
            return Task.CompletedTask;
        }
    }
}
