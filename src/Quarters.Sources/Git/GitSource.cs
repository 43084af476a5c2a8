using Quarters.Core.Sources;
using Quarters.Sources.Intake;
using Quarters.Sources.Versioned;

namespace Quarters.Sources.Git;

/// <summary>
/// Packages in a git repository. A poll fetches into a bare mirror, asks git which paths differ from the commit of the
/// cursor, and reads the packages that these belong to, without a work tree.
/// </summary>
public sealed class GitSource : ISource
{
    private readonly VersionedSource _source;

    /// <summary>Makes a source; nothing is fetched before the first poll.</summary>
    /// <exception cref="SourceSettingsException">A setting cannot be used; the message says which and why.</exception>
    public GitSource(GitSourceSettings settings, PackageIntake intake)
    {
        VersionedSettings.Check(settings);
        Name = settings.Name;
        settings = settings with { Layout = settings.Layout.Normalize() };
        _source = new VersionedSource(settings, "git", new GitTree(settings), intake);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public Task<SourceReport> PollAsync(string? cursor, CancellationToken cancellationToken) =>
        _source.PollAsync(cursor, cancellationToken);
}
