using Quarters.Core.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Git;

/// <summary>Fetches a git repository that is one package, without its history. Nothing of it is kept.</summary>
internal static class PackageRepository
{
    /// <summary>The package as it is now, or why it cannot be had.</summary>
    /// <param name="settings">Which repository; its name is the package's path, its state directory is made, and gone
    /// afterwards.</param>
    /// <param name="packagers">Who is named.</param>
    /// <param name="cancellationToken">Stops it.</param>
    internal static async Task<Candidate> FetchAsync(
        GitSourceSettings settings, Packagers packagers, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(settings, packagers, cancellationToken);
        }
        catch (SourceUnreachableException unreachable)
        {
            return Unfit(settings.Name, unreachable.Message) with { IsAway = true };
        }
        finally
        {
            if (Directory.Exists(settings.StateDirectory))
                Directory.Delete(settings.StateDirectory, recursive: true);
        }
    }

    /// <summary>One of which nothing is known but that it cannot be had.</summary>
    internal static Candidate Unfit(string path, string problem) => new()
    {
        Path = path,
        Tree = null,
        Problem = problem,
        Revision = "",
        Time = DateTimeOffset.UnixEpoch,
        Packager = PackageIntake.UnknownPackager,
    };

    private static async Task<Candidate> ReadAsync(
        GitSourceSettings settings, Packagers packagers, CancellationToken cancellationToken)
    {
        var tree = new GitTree(settings);
        if (await tree.FetchAsync(null, cancellationToken) is not { } commit)
            return Unfit(settings.Name, $"{settings.Url} is empty.");
        var change = (await tree.LastChangesAsync([""], null, commit, cancellationToken))[""];
        var (files, problem) = await FilesAsync(settings, tree, commit, cancellationToken);
        return new Candidate
        {
            Path = settings.Name,
            Tree = files,
            Problem = problem,
            Revision = commit,
            Time = change.Time,
            Packager = packagers.Name(change.Author, files),
        };
    }

    private static async Task<(SourceTree? Files, string? Problem)> FilesAsync(
        GitSourceSettings settings, GitTree tree, string commit, CancellationToken cancellationToken)
    {
        if (!(await tree.ListAsync(commit, null, cancellationToken)).TryGetValue("", out var package))
            return (null, $"{settings.Url} holds no PKGBUILD.");
        if (package.FindFault(settings.TreeLimits) is { } fault)
            return (null, fault);
        var entries = await tree.ReadAsync(commit, [package], cancellationToken);
        try
        {
            return (SourceTree.Create(entries[0], settings.TreeLimits), null);
        }
        catch (SourceTreeException refused)
        {
            return (null, $"Its files cannot be taken: {refused.Message}.");
        }
    }
}
