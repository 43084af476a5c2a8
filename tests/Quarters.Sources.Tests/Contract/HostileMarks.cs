using System.Collections.Immutable;
using Quarters.Linux.Processes;

namespace Quarters.Sources.Tests.Contract;

/// <summary>A way to have code run while a PKGBUILD is looked at.</summary>
/// <param name="Name">What it is called; its package, too.</param>
/// <param name="Text">What stands in the PKGBUILD, with <c>MARK</c> in the place of a command that leaves a
/// mark.</param>
/// <param name="Trigger">What whoever reads it would do for the command to run, in a plain bash.</param>
internal sealed record HostileTrick(string Name, string Text, string Trigger);

/// <summary>
/// PKGBUILDs that leave marks on this machine if anybody runs their code outside a sandbox: in a directory that
/// anybody may write to. <see cref="ProveAsync"/> shows that the marks would be seen.
/// </summary>
internal sealed class HostileMarks : IDisposable
{
    private const string Builtins = "declare printf unset exit source local eval cd shopt mapfile compgen trap set "
        + "kill read echo test true command builtin export ulimit";

    internal static readonly ImmutableArray<HostileTrick> All =
    [
        new("top", "MARK", ":"),
        new("pkgver", "pkgver() { MARK; echo 2; }", "pkgver"),
        new("array", "depends=($(MARK))", ":"),
        new("default", "license=(\"${nothing:-$(MARK)}\")", ":"),
        new("override", "package() { depends=($(MARK)); }", "package"),
        new("handler", "trap 'MARK' EXIT", ":"),
        .. Builtins.Split(' ').Select(
            name => new HostileTrick("builtin-" + name, $"function {name}() {{ MARK; }}", name)),
    ];

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("quarters-marks-");

    internal HostileMarks() => _directory.UnixFileMode = (UnixFileMode)Convert.ToInt32("1777", 8);

    /// <summary>The marks that were left.</summary>
    internal IEnumerable<string> Found => _directory.EnumerateFileSystemInfos().Select(one => one.Name);

    internal string Pkgbuild(HostileTrick trick) => TestTrees.Text(trick.Name, more: Code(trick));

    /// <summary>Runs each trick in a bash without a sandbox, and looks for its mark.</summary>
    internal async Task ProveAsync()
    {
        foreach (var trick in All)
        {
            await ProcessRunner.RunAsync(
                new ProcessSpec { FileName = "bash", Arguments = ["-c", $"{Code(trick)}\n{trick.Trigger}"] },
                TestContext.Current.CancellationToken);
            Assert.Equal([trick.Name], Found);
            File.Delete(Path.Combine(_directory.FullName, trick.Name));
        }
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private string Code(HostileTrick trick) => trick.Text.Replace(
        "MARK", $"/usr/bin/touch {Path.Combine(_directory.FullName, trick.Name)}", StringComparison.Ordinal);
}
