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

/// <summary>What one report changed in a memory.</summary>
internal sealed record MemoryChange
{
    public required string Cursor { get; init; }

    public required Dictionary<string, KnownPackage> Set { get; init; }

    public required List<string> Removed { get; init; }
}

/// <summary>
/// Where a source keeps its memory: on the first line a whole one, on each further line what a report changed. What was
/// read or written last stays at hand. So a poll costs nothing by how many packages there are.
/// </summary>
internal sealed class MemoryFile(string path)
{
    private const int MaxChanges = 200;

    private SourceMemory? _last;
    private int _changes = MaxChanges;

    /// <summary>The memory that belongs to a cursor; null when there is none.</summary>
    internal SourceMemory? Load(string? cursor)
    {
        if (cursor is null)
            return null;
        if (_last?.Cursor != cursor)
            (_last, _changes) = (Read(), MaxChanges);
        return _last?.Cursor == cursor ? _last : null;
    }

    /// <summary>Writes it. It need not be durable: <see cref="Load"/> says why.</summary>
    internal void Save(SourceMemory memory)
    {
        var change = _last is not null && _changes < MaxChanges && File.Exists(path) ? Difference(_last, memory) : null;
        if (change is not null && change.Set.Count + change.Removed.Count <= memory.Packages.Count / 4)
        {
            using var file = new FileStream(path, FileMode.Append);
            JsonSerializer.Serialize(file, change, SourceMemoryJson.Default.MemoryChange);
            file.WriteByte((byte)'\n');
            _changes++;
        }
        else
        {
            using (var file = File.Create(path + ".new"))
            {
                JsonSerializer.Serialize(file, memory, SourceMemoryJson.Default.SourceMemory);
                file.WriteByte((byte)'\n');
            }

            File.Move(path + ".new", path, overwrite: true);
            _changes = 0;
        }

        _last = memory;
    }

    private SourceMemory? Read()
    {
        if (!File.Exists(path))
            return null;
        try
        {
            using var lines = new StreamReader(path);
            if (lines.ReadLine() is not { } first
                || JsonSerializer.Deserialize(first, SourceMemoryJson.Default.SourceMemory) is not
                { Schema: SourceMemory.CurrentSchema } memory)
                return null;
            var packages = memory.Packages.WithComparers(StringComparer.Ordinal).ToBuilder();
            var cursor = memory.Cursor;
            while (lines.ReadLine() is { } line)
            {
                var change = JsonSerializer.Deserialize(line, SourceMemoryJson.Default.MemoryChange)!;
                packages.RemoveRange(change.Removed);
                foreach (var (name, package) in change.Set)
                    packages[name] = package;
                cursor = change.Cursor;
            }

            return memory with { Cursor = cursor, Packages = packages.ToImmutable() };
        }
        catch (JsonException)
        {
            // Torn by a crash: a complete report follows, which writes it anew.
            return null;
        }
    }

    /// <summary>Walks over both once, side by side: they have one order, and share what did not change.</summary>
    private static MemoryChange Difference(SourceMemory before, SourceMemory now)
    {
        var change = new MemoryChange { Cursor = now.Cursor, Set = new(StringComparer.Ordinal), Removed = [] };
        using var old = before.Packages.GetEnumerator();
        var isOld = old.MoveNext();
        foreach (var (path, package) in now.Packages)
        {
            while (isOld && string.CompareOrdinal(old.Current.Key, path) < 0)
            {
                change.Removed.Add(old.Current.Key);
                isOld = old.MoveNext();
            }

            var same = isOld && old.Current.Key == path;
            if (!same || !ReferenceEquals(old.Current.Value, package))
                change.Set[path] = package;
            isOld = same ? old.MoveNext() : isOld;
        }

        for (; isOld; isOld = old.MoveNext())
            change.Removed.Add(old.Current.Key);
        return change;
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SourceMemory))]
[JsonSerializable(typeof(MemoryChange))]
internal sealed partial class SourceMemoryJson : JsonSerializerContext;
