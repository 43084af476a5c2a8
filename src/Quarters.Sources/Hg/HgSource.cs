using Quarters.Core.Sources;
using Quarters.Sources.Intake;
using Quarters.Sources.Versioned;

namespace Quarters.Sources.Hg;

/// <summary>
/// Packages in a Mercurial repository. A poll pulls into a mirror without a working copy, asks which paths differ from
/// the changeset of the cursor, and reads the packages that these belong to.
/// </summary>
public sealed class HgSource : ISource
{
    private readonly VersionedSource _source;

    /// <summary>Makes a source; nothing is fetched before the first poll.</summary>
    /// <exception cref="SourceSettingsException">A setting cannot be used; the message says which and why.</exception>
    public HgSource(HgSourceSettings settings, PackageIntake intake)
    {
        VersionedSettings.Check(settings);
        Name = settings.Name;
        settings = settings with { Layout = settings.Layout.Normalize() };
        _source = new VersionedSource(settings, "hg", new HgTree(settings), intake);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public Task<SourceReport> PollAsync(string? cursor, CancellationToken cancellationToken) =>
        _source.PollAsync(cursor, cancellationToken);
}
