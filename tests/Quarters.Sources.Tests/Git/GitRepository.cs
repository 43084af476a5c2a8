using System.Globalization;
using System.Text;
using Quarters.Linux.Processes;

namespace Quarters.Sources.Tests.Git;

/// <summary>A real git repository to poll.</summary>
internal sealed class GitRepository(string path)
{
    private int _commits;

    internal string Path => path;

    internal static async Task<GitRepository> CreateAsync(string path)
    {
        Directory.CreateDirectory(path);
        var repository = new GitRepository(path);
        await repository.RunAsync("init", "--quiet", "--initial-branch=main");
        return repository;
    }

    internal void Write(string relative, string text)
    {
        var file = System.IO.Path.Combine(path, relative);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    internal void Package(string directory, string version = "1", string more = "") =>
        Write(directory + "/PKGBUILD", TestTrees.Text(System.IO.Path.GetFileName(directory), version, more));

    /// <returns>The commit's id.</returns>
    internal async Task<string> CommitAsync(string author = "Ada <ada@example.org>")
    {
        var time = string.Create(CultureInfo.InvariantCulture, $"{1_700_000_000 + (++_commits * 100)} +0000");
        await RunAsync("add", "--all");
        var at = author.IndexOf('<', StringComparison.Ordinal);
        await RunAsync(
            new Dictionary<string, string>
            {
                ["GIT_AUTHOR_NAME"] = author[..at].Trim(),
                ["GIT_AUTHOR_EMAIL"] = author[(at + 1)..^1],
                ["GIT_COMMITTER_NAME"] = "Committer",
                ["GIT_COMMITTER_EMAIL"] = "committer@example.org",
                ["GIT_AUTHOR_DATE"] = time,
                ["GIT_COMMITTER_DATE"] = time,
            },
            ReadOnlyMemory<byte>.Empty,
            ["commit", "--quiet", "--allow-empty", "-m", "change"]);
        return (await RunAsync("rev-parse", "HEAD")).Trim();
    }

    internal DateTimeOffset TimeOf(int commit) => DateTimeOffset.FromUnixTimeSeconds(1_700_000_000 + (commit * 100));

    internal Task<string> RunAsync(params string[] arguments) =>
        RunAsync([], ReadOnlyMemory<byte>.Empty, arguments);

    internal async Task<string> RunAsync(
        Dictionary<string, string> variables, ReadOnlyMemory<byte> input, string[] arguments)
    {
        variables["PATH"] = Environment.GetEnvironmentVariable("PATH")!;
        variables["HOME"] = path;
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = "git",
                Arguments = ["-c", "protocol.file.allow=always", .. arguments],
                WorkingDirectory = path,
                Environment = variables,
                Input = input,
            },
            TestContext.Current.CancellationToken);
        Assert.True(result.Succeeded, $"git {string.Join(' ', arguments)}: {result.StandardError}");
        return result.StandardOutput;
    }

    /// <summary>Makes a commit of many packages without writing a work tree.</summary>
    internal async Task ImportAsync(int packages)
    {
        var stream = new StringBuilder(
            "commit refs/heads/main\ncommitter Ada <ada@example.org> 1700000000 +0000\ndata 0\n");
        for (var i = 0; i < packages; i++)
        {
            var text = TestTrees.Text($"package{i:0000}", more: "depends=(glibc 'zlib>=1.2')\npackage() { :; }");
            stream.Append(CultureInfo.InvariantCulture,
                $"M 644 inline package{i:0000}/PKGBUILD\ndata {text.Length}\n{text}\n");
        }

        await RunAsync([], Encoding.ASCII.GetBytes(stream.ToString()), ["fast-import", "--quiet"]);
        await RunAsync("reset", "--quiet", "--hard");
    }
}
