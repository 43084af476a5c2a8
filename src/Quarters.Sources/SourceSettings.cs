using Quarters.Core.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Sources;

/// <summary>What every source is told, whatever its kind.</summary>
public abstract record SourceSettings
{
    /// <summary>The source's name; it becomes part of file names below the state directory.</summary>
    public required string Name { get; init; }

    /// <summary>The repository that the packages are built for.</summary>
    public required string Repository { get; init; }

    /// <summary>Who is named as the packager. What a kind does not know, as a directory no author, is passed
    /// over.</summary>
    public PackagerSettings Packagers { get; init; } = new();

    /// <summary>Where memory and mirrors are kept.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>How large a package may be, unpacked.</summary>
    public TreeLimits TreeLimits { get; init; } = TreeLimits.Default;

    /// <summary>Where something of this source alone is kept: the state directory holds it under the source's
    /// name.</summary>
    internal string InState(string ending) => Path.Combine(StateDirectory, Name + ending);

    /// <summary>Opens what the source remembers between polls.</summary>
    /// <exception cref="SourceSettingsException">The name cannot be used.</exception>
    internal MemoryFile OpenMemory()
    {
        SourceName.Check(Name);
        return new MemoryFile(InState(".memory.json"));
    }
}
