using System.Runtime.InteropServices;

namespace Quarters.Alpm.Tests;

/// <summary>The real comparison, from the libalpm that pacman on this machine uses.</summary>
internal static partial class Libalpm
{
    private static readonly string[] Names = ["libalpm.so.16", "libalpm.so.15", "libalpm.so.14", "libalpm.so.13"];

    static Libalpm() => NativeLibrary.SetDllImportResolver(typeof(Libalpm).Assembly, (name, assembly, path) =>
    {
        if (name != "alpm") return 0;
        foreach (var candidate in Names)
        {
            if (NativeLibrary.TryLoad(candidate, assembly, path, out var handle)) return handle;
        }
        return 0;
    });

    [LibraryImport("alpm", EntryPoint = "alpm_pkg_vercmp", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Compare(string a, string b);
}
