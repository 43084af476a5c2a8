using Quarters.Linux.Processes;

namespace Quarters.EndToEnd;

/// <summary>A git repository of PKGBUILDs, one directory a package.</summary>
internal sealed class PackageTree
{
    private PackageTree(string folder) => Folder = folder;

    public string Folder { get; }

    /// <summary>Makes one that holds nothing yet.</summary>
    public static async Task<PackageTree> CreateAsync(string folder)
    {
        var tree = new PackageTree(Directory.CreateDirectory(folder).FullName);
        await tree.GitAsync("init", "-q", "-b", "main");
        await tree.GitAsync("commit", "-q", "--allow-empty", "-m", "nothing yet");
        return tree;
    }

    /// <summary>Writes a PKGBUILD into the repository; <see cref="CommitAsync"/> makes it known.</summary>
    public void Write(string pkgbase, string pkgbuild)
    {
        Directory.CreateDirectory(Path.Combine(Folder, pkgbase));
        File.WriteAllText(Path.Combine(Folder, pkgbase, "PKGBUILD"), pkgbuild.ReplaceLineEndings("\n"));
    }

    /// <summary>A package that yields one executable script, or fails, as its lines say.</summary>
    public void Write(string pkgbase, string version, string depends, string lines = "") => Write(
        pkgbase, version, depends, lines, """
            mkdir -p "$pkgdir/usr/bin"
            printf '#!/bin/sh\necho %s %s\n' "$pkgname" "$pkgver" > "$pkgdir/usr/bin/$pkgname"
            chmod 755 "$pkgdir/usr/bin/$pkgname"
            """);

    /// <summary>A package of which <c>package()</c> does what is said.</summary>
    public void Write(string pkgbase, string version, string depends, string lines, string package) => Write(
        pkgbase, $$"""
        pkgname={{pkgbase}}
        pkgver={{version}}
        pkgrel=1
        pkgdesc='A package of the tests'
        arch=(x86_64)
        license=(MIT)
        depends=({{depends}})
        {{lines}}
        package() {
        {{package}}
        }

        """);

    public async Task CommitAsync(string message)
    {
        await GitAsync("add", "-A");
        await GitAsync("commit", "-q", "-m", message);
    }

    private async Task GitAsync(params string[] arguments)
    {
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = "git",
                Arguments = ["-c", "user.name=Jane Dev", "-c", "user.email=jane@example.org", .. arguments],
                WorkingDirectory = Folder,
                Timeout = TimeSpan.FromMinutes(1),
            },
            TestContext.Current.CancellationToken);
        Assert.True(result.ExitCode == 0, result.StandardError);
    }
}
