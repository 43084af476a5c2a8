using Quarters.Alpm;
using Quarters.Linux.Processes;

namespace Quarters.EndToEnd;

/// <summary>Packages from every kind of repository, built by real makepkg and published.</summary>
public class SourceKindsTests
{
    private const string Sources = """
        packager = ["author"]
        [[source]]
        name = "old"
        kind = "svn"
        url = "svn"
        packagers = "committers"
        poll = "1 s"
        [[source]]
        name = "quicksilver"
        kind = "hg"
        url = "hg"
        poll = "1 s"
        [[source]]
        name = "many"
        kind = "git"
        url = "many/{name}"
        list = "many/list"
        poll = "1 s"
        [[source]]
        name = "mine"
        kind = "directory"
        path = "mine"
        packager = ["author", "maintainer", "The Farm <farm@example.org>"]
        poll = "1 s"
        """;

    [Fact]
    public async Task The_packager_that_a_source_knows_is_the_one_of_the_package_that_is_published()
    {
        await using var farm = await RunningFarm.CreateAsync(sources: Sources);
        farm.Write("from-git", "1.0", "");
        await farm.CommitAsync("a package");
        var folder = farm.Folder;
        await RunAsync(folder, "svnadmin", "create", "svn");
        await RunAsync(folder, "svn", "checkout", "-q", "file://" + Path.Combine(folder, "svn"), "checkout");
        Write(folder, "checkout/from-svn/trunk");
        await RunAsync(Path.Combine(folder, "checkout"), "svn", "add", "-q", "from-svn");
        await RunAsync(Path.Combine(folder, "checkout"), "svn", "commit", "-q", "-m", "new", "--username", "ada");
        File.WriteAllText(Path.Combine(folder, "committers"), "ada = Ada Lovelace <ada@example.org>\n");
        Write(folder, "hg/from-hg");
        await RunAsync(Path.Combine(folder, "hg"), "hg", "init");
        await RunAsync(
            Path.Combine(folder, "hg"), "hg", "commit", "-q", "-A", "-m", "new", "-u", "Hal <hal@example.org>");
        Write(folder, "many/from-list");
        await RunAsync(Path.Combine(folder, "many/from-list"), "git", "init", "-q");
        await RunAsync(Path.Combine(folder, "many/from-list"), "git", "add", ".");
        await RunAsync(
            Path.Combine(folder, "many/from-list"), "git", "-c", "user.name=Lis", "-c", "user.email=lis@example.org",
            "commit", "-q", "-m", "new");
        File.WriteAllText(Path.Combine(folder, "many/list"), "from-list\n");
        Write(folder, "mine/with-maintainer", "# Maintainer: Mia <mia@example.org>\n");
        Write(folder, "mine/with-nobody");

        farm.Start();
        await farm.UntilAsync(s => s.Counts is { Built: 6 }, "all packages are built");

        Assert.Equal("Jane Dev <jane@example.org>", PackagerOf(farm, "from-git"));
        Assert.Equal("Ada Lovelace <ada@example.org>", PackagerOf(farm, "from-svn"));
        Assert.Equal("Hal <hal@example.org>", PackagerOf(farm, "from-hg"));
        Assert.Equal("Lis <lis@example.org>", PackagerOf(farm, "from-list"));
        Assert.Equal("Mia <mia@example.org>", PackagerOf(farm, "with-maintainer"));
        Assert.Equal("The Farm <farm@example.org>", PackagerOf(farm, "with-nobody"));
    }

    private static void Write(string folder, string directory, string more = "")
    {
        var name = Path.GetFileName(directory.Replace("/trunk", "", StringComparison.Ordinal));
        Directory.CreateDirectory(Path.Combine(folder, directory));
        File.WriteAllText(
            Path.Combine(folder, directory, "PKGBUILD"),
            $"{more}pkgname={name}\npkgver=1.0\npkgrel=1\npkgdesc='A package of the tests'\narch=(x86_64)\n"
            + "license=(MIT)\npackage() { :; }\n");
    }

    private static string PackagerOf(RunningFarm farm, string name)
    {
        var repository = Path.Combine(farm.Folder, "state", "master", "public", "repo", "quarters", "os", "x86_64");
        using var file = File.OpenRead(Path.Combine(repository, $"{name}-1.0-1-x86_64.pkg.tar.zst"));
        return PackageFile.ReadInfo(file, new PackageReadLimits()).Info.Packager;
    }

    private static async Task RunAsync(string directory, params string[] command)
    {
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec { FileName = command[0], Arguments = command[1..], WorkingDirectory = directory },
            TestContext.Current.CancellationToken);
        Assert.True(result.Succeeded, $"{string.Join(' ', command)}: {result.StandardError}");
    }
}
