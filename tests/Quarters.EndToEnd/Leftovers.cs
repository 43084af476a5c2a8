namespace Quarters.EndToEnd;

/// <summary>What is still there of builds when none runs.</summary>
internal static class Leftovers
{
    /// <summary>Mounts below a directory, or made of it.</summary>
    public static List<string> Mounts(string folder) =>
        [.. File.ReadLines("/proc/self/mountinfo").Where(line => line.Contains(folder, StringComparison.Ordinal))];

    /// <summary>Processes that were started with a directory's name, or see mounts made of it where this process sees
    /// none: those of a sandbox.</summary>
    public static List<string> Processes(string folder)
    {
        var ours = Mounts(folder);
        return
        [
            .. Directory.EnumerateDirectories("/proc")
                .Where(process => char.IsAsciiDigit(Path.GetFileName(process)[0]))
                .Where(process => Path.GetFileName(process) != Environment.ProcessId.ToString())
                .Where(process => Read(process, "cmdline").Contains(folder, StringComparison.Ordinal)
                    || Read(process, "mountinfo").Split('\n').Any(
                        line => line.Contains(folder, StringComparison.Ordinal) && !ours.Contains(line)))
                .Select(process => process + " " + Read(process, "cmdline").Replace('\0', ' ')),
        ];
    }

    private static string Read(string process, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, file));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // It has just ended.
            return "";
        }
    }
}
