using Quarters.Linux.Files;
using Quarters.Sources.Directories;
using Quarters.Sources.Git;
using Quarters.Sources.Intake;
using Quarters.Sources.Pkgbuilds;

namespace Quarters.Sources.Tests;

/// <summary>Everything that a source needs, in a directory of the test's own.</summary>
internal sealed class Workshop : IDisposable
{
    internal Workshop()
    {
        Reader = new PkgbuildReader(new PkgbuildReaderSettings { WorkDirectory = Files["work"] }, TimeProvider.System);
        Archives = new ArchiveStore(Files["archives"], LinuxDisk.Instance);
        Intake = new PackageIntake(Reader, new TreeCache(Files["cache"], 10_000), Archives);
    }

    internal TestDirectory Files { get; } = new();

    internal PkgbuildReader Reader { get; }

    internal ArchiveStore Archives { get; }

    internal PackageIntake Intake { get; }

    internal GitSourceSettings Git(string url) => new()
    {
        Name = "test",
        Url = url,
        Repository = "core",
        StateDirectory = Files["state"],
    };

    internal GitSource Open(GitSourceSettings settings) => new(settings, Intake);

    internal DirectorySource OpenDirectory(string packager) => new(
        new DirectorySourceSettings
        {
            Name = "plain",
            Path = Files["packages"],
            Repository = "core",
            Packagers = new PackagerSettings { Order = [PackagerSettings.Maintainer, packager] },
            StateDirectory = Files["state"],
        },
        Intake);

    public void Dispose() => Files.Dispose();
}
