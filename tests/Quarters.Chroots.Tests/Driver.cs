using System.Globalization;
using Quarters.Linux.Processes;

namespace Quarters.Chroots.Tests;

/// <summary>The program that builds in a process of its own: see tests/Quarters.Chroots.Driver.</summary>
internal static class Driver
{
    private const int OrdinaryUser = 65534;

    private static readonly string Path = System.IO.Path.Combine(AppContext.BaseDirectory, "Quarters.Chroots.Driver");

    /// <summary>Builds as root, in a store of the given name.</summary>
    internal static ProcessSpec Root(Workbench bench, string store, string source) => new()
    {
        FileName = Path,
        Arguments = Arguments(bench, store, source),
    };

    /// <summary>Builds as another user, who gets subordinate ids in a mount namespace of its own.</summary>
    internal static ProcessSpec Rootless(Workbench bench, string store, string source, params string[] dependencies)
    {
        var id = OrdinaryUser.ToString(CultureInfo.InvariantCulture);
        var ids = bench[store + ".ids"];
        File.WriteAllText(ids, "nobody:100000:65536\n");
        return new ProcessSpec
        {
            FileName = "unshare",
            Arguments =
            [
                "--mount", "--propagation", "private", "bash", "-euc",
                """
                mount --bind "$1" /etc/subuid; mount --bind "$1" /etc/subgid; chown -R "$2:$2" "$3"
                exec setpriv --reuid "$2" --regid "$2" --clear-groups "${@:4}"
                """,
                "rootless", ids, id, bench[store], Path, .. Arguments(bench, store, source), .. dependencies,
            ],
        };
    }

    private static string[] Arguments(Workbench bench, string store, string source) =>
    [
        Directory.CreateDirectory(bench[store + "/chroots"]).FullName, bench.Repository, source,
        Directory.CreateDirectory(bench[store + "/out"]).FullName,
    ];
}
