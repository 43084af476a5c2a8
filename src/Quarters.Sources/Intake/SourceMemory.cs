using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Quarters.Sources.Intake;

/// <summary>What a source knew of a package when it last reported.</summary>
internal sealed record KnownPackage
{
    /// <summary>The package base that its PKGBUILD claims; null while it cannot be read.</summary>
    public string? Pkgbase { get; init; }

    /// <summary>What a change is noticed by where the kind of source has no revisions; else empty.</summary>
    public string Mark { get; init; } = "";

    public required string Revision { get; init; }

    public required DateTimeOffset Time { get; init; }

    public required string Packager { get; init; }

    /// <summary>The archive that holds its files; null while it cannot be read.</summary>
    public string? Archive { get; init; }
}

/// <summary>What a source remembers between polls. When it is lost the next report is a complete one, and that is
/// all.</summary>
internal sealed record SourceMemory
{
    internal const string CurrentSchema = "quarters/source-memory/2";

    public string Schema { get; init; } = CurrentSchema;

    /// <summary>The cursor of the report after which this was written.</summary>
    public required string Cursor { get; init; }

    /// <summary>All packages by path, unreadable ones too.</summary>
    public required ImmutableSortedDictionary<string, KnownPackage> Packages { get; init; }
}

/// <summary>Where a source keeps its memory. What was read or written last stays at hand, so that a poll without news
/// costs nothing by how many packages there are.</summary>
internal sealed class MemoryFile(string path)
{
    private SourceMemory? last;

    /// <summary>The memory that belongs to a cursor; null when there is none.</summary>
    internal SourceMemory? Load(string? cursor)
    {
        if (cursor is null)
            return null;
        if (last?.Cursor != cursor)
            last = Read();
        return last?.Cursor == cursor ? last : null;
    }

    /// <summary>Writes it aside and renames it. It need not be durable: <see cref="Load"/> says why.</summary>
    internal void Save(SourceMemory memory)
    {
        using (var file = File.Create(path + ".new"))
            JsonSerializer.Serialize(file, memory, SourceMemoryJson.Default.SourceMemory);
        File.Move(path + ".new", path, overwrite: true);
        last = memory;
    }

    private SourceMemory? Read()
    {
        if (!File.Exists(path))
            return null;
        try
        {
            using var file = File.OpenRead(path);
            var memory = JsonSerializer.Deserialize(file, SourceMemoryJson.Default.SourceMemory);
            return memory is { Schema: SourceMemory.CurrentSchema }
                ? memory with { Packages = memory.Packages.WithComparers(StringComparer.Ordinal) }
                : null;
        }
        catch (JsonException)
        {
            // Torn by a crash: a complete report follows, which writes it anew.
            return null;
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SourceMemory))]
internal sealed partial class SourceMemoryJson : JsonSerializerContext;
