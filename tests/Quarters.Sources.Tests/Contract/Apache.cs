namespace Quarters.Sources.Tests.Contract;

/// <summary>A real Apache that serves from a test's own directory.</summary>
internal static class Apache
{
    // Debian's place, then Arch's.
    private static readonly string[] ModuleDirectories = ["/usr/lib/apache2/modules", "/usr/lib/httpd/modules"];
    private static readonly string[] Programs = ["/usr/sbin/apache2", "/usr/bin/httpd"];

    /// <summary>A configuration on its own, that reads nothing of the machine's.</summary>
    internal static string Configuration(string root, int port, string[] modules, string locations)
    {
        var directory = ModuleDirectories.First(Directory.Exists);
        string[] all = ["mpm_event", "authz_core", "unixd", "alias", "env", .. modules];
        var loads = all.Where(name => File.Exists(Path.Combine(directory, $"mod_{name}.so")))
            .Select(name => $"LoadModule {name}_module {directory}/mod_{name}.so");
        return $"""
            ServerRoot "{root}"
            ServerName localhost
            Listen 127.0.0.1:{port}
            PidFile "{root}/apache.pid"
            ErrorLog "{root}/apache.log"
            DefaultRuntimeDir "{root}"
            {string.Join('\n', loads)}
            <IfModule unixd_module>
              {(Environment.UserName == "root" ? "User www-data\n  Group www-data" : "")}
            </IfModule>
            StartServers 1
            {locations}
            """;
    }

    internal static Task<TestDaemon> StartAsync(int port, string root) => TestDaemon.StartAsync(
        port, root, Programs.First(File.Exists), "-D", "FOREGROUND", "-f", Path.Combine(root, "apache.conf"));
}
