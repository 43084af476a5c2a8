namespace Quarters.Chroots.Health;

/// <summary>How programs are installed on this machine (os-release(5)).</summary>
internal sealed record Distribution(bool HasApt, bool HasPacman)
{
    internal static Distribution OfThisMachine() =>
        File.Exists("/etc/os-release") ? Parse(File.ReadAllText("/etc/os-release")) : new Distribution(false, false);

    internal static Distribution Parse(string osRelease)
    {
        var ids = osRelease.Split('\n')
            .Where(line => line.StartsWith("ID=", StringComparison.Ordinal)
                || line.StartsWith("ID_LIKE=", StringComparison.Ordinal))
            .SelectMany(line => line[(line.IndexOf('=') + 1)..].Trim('"', '\'').Split(' ')).ToList();
        return new Distribution(ids.Contains("debian") || ids.Contains("ubuntu"), ids.Contains("arch"));
    }

    internal string Install(string debianPackage, string archPackage) => this switch
    {
        { HasPacman: true } => $"sudo pacman -S {archPackage}",
        { HasApt: true } => $"sudo apt-get install {debianPackage}",
        _ => $"install the package {archPackage} (Debian: {debianPackage})",
    };
}
