using Quarters.Linux.Processes;

namespace Quarters.Chroots.Builds;

/// <summary>Tells by their words and endings whether makepkg and pacman failed for a reason of the package, or of this
/// machine and its network: then another builder may succeed.</summary>
internal static class FailureSigns
{
    /// <summary>How makepkg 6 and 7 begin to say that a source could not be had, or that a tool of this host that
    /// brings it is missing. A source that is there and wrong is another thing.</summary>
    private static readonly string[] NotFetched =
    [
        "Failure while downloading", "Failure while updating", "Failure while branching", "Failure while cloning",
        "Failure while creating working copy", "The download program ",
    ];

    /// <summary>What pacman, and the kernel through it, says of a machine that cannot install what was asked
    /// for.</summary>
    private static readonly string[] MachineWords =
    [
        "not enough free disk space", "No space left on device", "Input/output error", "Cannot allocate memory",
        "Read-only file system", "Disk quota exceeded", "invalid or corrupted package",
    ];

    /// <summary>Whether sources could not be had, by makepkg's errors.</summary>
    internal static bool OfFetching(IEnumerable<string> errors) => errors.Any(error =>
        NotFetched.Any(start => error.StartsWith(start, StringComparison.Ordinal))
        || (error.StartsWith("Cannot find the ", StringComparison.Ordinal)
            && error.Contains(" package needed to handle ", StringComparison.Ordinal)));

    /// <summary>Whether pacman failed for a reason of this machine.</summary>
    internal static bool OfMachine(string pacman) =>
        MachineWords.Any(words => pacman.Contains(words, StringComparison.Ordinal));

    /// <summary>Whether a program was killed by somebody outside: what a build's own processes die of ends as an error
    /// of makepkg. The sandbox passes a signal on as shells do.</summary>
    internal static bool OfKilling(ProcessResult result) => result.Signal is not null || result.ExitCode > 128;
}
