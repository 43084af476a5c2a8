using System.Text;
using Quarters.Linux.Processes;

namespace Quarters.Sources.Hg;

/// <summary>A mirror of a Mercurial repository, and how hg is run on it: without questions, and without anybody's
/// configuration, so that no hook or extension of theirs runs.</summary>
/// <param name="directory">Where it is kept.</param>
/// <param name="fetchTimeout">How long pulling may last.</param>
/// <param name="commandTimeout">How long any other command may last.</param>
internal sealed class HgMirror(string directory, TimeSpan fetchTimeout, TimeSpan commandTimeout)
{
    private const long MaxOutputBytes = 512L << 20;

    /// <summary>hg's word for there being no changeset.</summary>
    private const string Nothing = "0000000000000000000000000000000000000000";

    /// <summary>Brings a branch up to date.</summary>
    /// <returns>Its changeset; null when the repository has none at all.</returns>
    /// <exception cref="SourceUnreachableException">It cannot be pulled, or has no such branch.</exception>
    internal async Task<string?> FetchAsync(string url, string branch, CancellationToken cancellationToken)
    {
        await PrepareAsync(cancellationToken);
        var head = await RemoteAsync(url, branch, cancellationToken);
        if (!head.Succeeded)
        {
            if (!head.StandardError.Contains("unknown revision", StringComparison.Ordinal))
                throw Unreachable(url, head);
            var tip = await RemoteAsync(url, "tip", cancellationToken);
            if (tip.Succeeded && tip.StandardOutput.Trim() == Nothing)
                return null;
            throw new SourceUnreachableException($"{url} has no branch or bookmark {branch}.");
        }

        var id = head.StandardOutput.Trim();
        if (id == Nothing)
            return null;
        if (id.Length != Nothing.Length || !id.All(char.IsAsciiHexDigitLower))
            throw new SourceUnreachableException(
                $"{url} was answered with '{LastWords.Of(id)}', which is no changeset.");
        if (!await HasAsync(id, cancellationToken))
        {
            // By force, because history that was rewritten from its beginning has nothing to do with the old one.
            var pull = await RunAsync(
                ["pull", "--quiet", "--force", "--rev", id, "--", url], fetchTimeout, cancellationToken);
            if (!pull.Succeeded)
                throw Unreachable(url, pull);
        }

        return id;
    }

    /// <summary>The changeset that a branch, bookmark or tag of a repository names, without pulling anything.</summary>
    /// <exception cref="SourceUnreachableException">It does not answer, or has none.</exception>
    internal async Task<string> NewestAsync(string url, string name, CancellationToken cancellationToken)
    {
        await PrepareAsync(cancellationToken);
        var head = await RemoteAsync(url, name, cancellationToken);
        if (!head.Succeeded)
            throw Unreachable(url, head);
        var id = head.StandardOutput.Trim();
        return id != Nothing && id.Length == Nothing.Length && id.All(char.IsAsciiHexDigitLower)
            ? id
            : throw new SourceUnreachableException($"{url} has no changeset {name}.");
    }

    /// <summary>Brings everything up to date, as makepkg keeps the repositories of sources.</summary>
    /// <exception cref="SourceUnreachableException">It cannot be pulled.</exception>
    internal async Task FetchAllAsync(string url, CancellationToken cancellationToken)
    {
        await PrepareAsync(cancellationToken);
        var pull = await RunAsync(["pull", "--quiet", "--force", "--", url], fetchTimeout, cancellationToken);
        if (!pull.Succeeded)
            throw Unreachable(url, pull);
    }

    /// <summary>Puts a changeset into a new clone, for anybody to read, without subrepositories, which may lead
    /// anywhere.</summary>
    /// <exception cref="SourceUnreachableException">The mirror has no such changeset.</exception>
    internal async Task CheckOutAsync(string id, string destination, CancellationToken cancellationToken)
    {
        var spec = Spec(
            [
                "--config", "subrepos.allowed=no", "clone", "--quiet", "--pull", "--updaterev", id, "--", ".",
                destination,
            ],
            commandTimeout);
        var result = await ProcessRunner.RunAsync(
            spec with
            {
                FileName = "sh",
                Arguments = ["-c", "umask 022; exec hg \"$@\"", "sh", .. spec.Arguments],
            },
            cancellationToken);
        if (!result.Succeeded)
            throw new SourceUnreachableException(
                $"{id} cannot be checked out: hg {result.Ending}: {LastWords.Of(result)}");
    }

    /// <summary>True when the mirror has a changeset.</summary>
    internal async Task<bool> HasAsync(string id, CancellationToken cancellationToken) =>
        id.All(char.IsAsciiHexDigit)
        && (await RunAsync(["log", "--rev", id, "--template", "."], commandTimeout, cancellationToken)).Succeeded;

    /// <summary>Asks the mirror.</summary>
    /// <param name="command">The command.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What it printed.</returns>
    /// <exception cref="IOException">It failed.</exception>
    internal async Task<string> AskAsync(IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var result = await RunAsync(command, commandTimeout, cancellationToken);
        // Where nothing matches the answer is 1 and empty.
        if (!result.Succeeded && !(result is { ExitCode: 1, OutputExceeded: false } && result.OutputBytes.IsEmpty))
            throw new IOException(
                $"hg {command[0]} in {directory} {result.Ending}: {LastWords.Of(result)} "
                + "If the mirror is damaged, delete that directory; it is pulled anew.");
        return Encoding.UTF8.GetString(result.OutputBytes.Span);
    }

    private Task<ProcessResult> RemoteAsync(string url, string revision, CancellationToken cancellationToken) =>
        RunAsync(["identify", "--template", "{node}", "--rev", revision, "--", url], fetchTimeout, cancellationToken);

    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        if (!Directory.Exists(Path.Combine(directory, ".hg")))
            await AskAsync(["init", "."], cancellationToken);
    }

    private Task<ProcessResult> RunAsync(
        IEnumerable<string> command, TimeSpan timeout, CancellationToken cancellationToken) =>
        ProcessRunner.RunAsync(Spec(command, timeout), cancellationToken);

    private ProcessSpec Spec(IEnumerable<string> command, TimeSpan timeout) => new()
    {
        FileName = "hg",
        Arguments =
        [
            "--noninteractive", "--config", "ui.ssh=ssh -o BatchMode=yes -o ConnectTimeout=30",
            "--config", "ui.timeout=30", .. command,
        ],
        WorkingDirectory = directory,
        Environment = Environment(),
        Timeout = timeout,
        MaxOutputBytes = MaxOutputBytes,
        ParentDeathSignal = true,
    };

    private static Dictionary<string, string> Environment()
    {
        var environment = InheritedEnvironment.Without("HG", "PYTHON");
        environment["HGRCPATH"] = "";
        // A repository on this machine is opened like our own: its hgrc could name hooks and extensions.
        environment["HGRCSKIPREPO"] = "1";
        environment["HGPLAIN"] = "1";
        environment["HGENCODING"] = "UTF-8";
        environment["LC_ALL"] = "C.UTF-8";
        return environment;
    }

    private static SourceUnreachableException Unreachable(string url, ProcessResult result) =>
        new($"{url} cannot be pulled: hg {result.Ending}: {LastWords.Of(result)}");
}
