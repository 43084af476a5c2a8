using Quarters.Node.Tests;
using Quarters.Sources.Tests.Contract;

namespace Quarters.Sources.Tests.Git;

/// <summary>A real Apache that serves the git repositories below a directory by git-http-backend.</summary>
internal sealed class GitHttp(string root)
{
    // Debian's place, then Arch's.
    private static readonly string[] Backends =
        ["/usr/lib/git-core/git-http-backend", "/usr/libexec/git-core/git-http-backend"];

    private readonly int _port = FreePort.Take();
    private TestDaemon? _daemon;

    internal string Url => $"http://127.0.0.1:{_port}/git";

    internal async Task StartAsync()
    {
        // Apache gives up being root, and must still find the way; then git asks whose repository it is.
        File.SetUnixFileMode(Path.GetDirectoryName(root)!, (UnixFileMode)Convert.ToInt32("755", 8));
        await File.WriteAllTextAsync(
            Path.Combine(root, "gitconfig"), "[safe]\n\tdirectory = *\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            Path.Combine(root, "apache.conf"), Apache.Configuration(root, _port, ["cgid"], $"""
                ScriptSock "{root}/cgid.sock"
                SetEnv GIT_PROJECT_ROOT "{root}"
                SetEnv GIT_HTTP_EXPORT_ALL 1
                SetEnv GIT_CONFIG_GLOBAL "{root}/gitconfig"
                ScriptAlias /git/ "{Backends.First(File.Exists)}/"
                """),
            TestContext.Current.CancellationToken);
        _daemon = await Apache.StartAsync(_port, root);
    }

    internal async Task StopAsync()
    {
        if (_daemon is not null)
            await _daemon.DisposeAsync();
        _daemon = null;
    }
}
