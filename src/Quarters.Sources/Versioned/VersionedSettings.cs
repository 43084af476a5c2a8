namespace Quarters.Sources.Versioned;

/// <summary>What every source that is a repository is told.</summary>
public abstract record VersionedSettings : SourceSettings
{
    /// <summary>Where the repository is.</summary>
    public required string Url { get; init; }

    /// <summary>Where the packages are in it.</summary>
    public PackageLayout Layout { get; init; } = new();

    /// <summary>How long fetching may last.</summary>
    public TimeSpan FetchTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long any other command may last; the walk over a long history is the slowest.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <exception cref="SourceSettingsException">A setting cannot be used; the message says which and why.</exception>
    internal static void Check(VersionedSettings settings)
    {
        SourceName.Check(settings.Name);
        if ((settings.FindUrlFault() ?? settings.Layout.FindFault()) is { } fault)
            throw new SourceSettingsException(fault);
    }

    /// <summary>What makes <see cref="Url"/>, or what else names the place, unusable.</summary>
    private protected virtual string? FindUrlFault() =>
        Url.Length == 0 || Url[0] == '-' || Url.Any(char.IsControl) ? $"The url '{Url}' cannot be used." : null;
}
