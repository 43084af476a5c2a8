using Quarters.Core.Sources;
using Quarters.Sources.Intake;
using Quarters.Sources.Versioned;

namespace Quarters.Sources.Svn;

/// <summary>
/// Packages in a Subversion repository. A poll asks for the youngest revision, then for the paths that changed since
/// the revision of the cursor, and fetches the packages that these belong to. There is no working copy.
/// </summary>
public sealed class SvnSource : ISource
{
    private readonly VersionedSource _source;

    /// <summary>Makes a source; nothing is fetched before the first poll.</summary>
    /// <exception cref="SourceSettingsException">A setting cannot be used; the message says which and why.</exception>
    public SvnSource(SvnSourceSettings settings, PackageIntake intake)
    {
        VersionedSettings.Check(settings);
        Name = settings.Name;
        settings = settings with { Layout = settings.Layout.Normalize(), Url = settings.Url.TrimEnd('/') };
        _source = new VersionedSource(settings, "svn", new SvnTree(settings), intake);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public Task<SourceReport> PollAsync(string? cursor, CancellationToken cancellationToken) =>
        _source.PollAsync(cursor, cancellationToken);
}
