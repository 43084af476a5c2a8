using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Master;

namespace Quarters.Master.Polling;

/// <summary>
/// What the pollers saw last and no journal holds: when a source was last read and at what cost, when a builder was
/// last heard of and what it said it does. Lost at a restart, and seen again within one poll.
/// </summary>
internal sealed class Sightings
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SourceSighting> _sources = new(StringComparer.Ordinal);
    private readonly Dictionary<string, BuilderStatus> _builders = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _outside = new(StringComparer.Ordinal);
    private long _revision;

    /// <summary>Called when something was seen that a document shows.</summary>
    public Action Changed { get; set; } = () => { };

    /// <summary>Grows with everything that is seen.</summary>
    public long Revision => Interlocked.Read(ref _revision);

    public void Saw(string source, SourceSighting sighting)
    {
        lock (_lock) _sources[source] = sighting;
        Note();
    }

    public void Saw(BuilderStatus builder)
    {
        lock (_lock) _builders[builder.Name] = builder;
        Note();
    }

    /// <summary>What went wrong when a repository of others was last looked at; null when nothing did.</summary>
    public void SawOutside(string repository, string? problem)
    {
        lock (_lock)
        {
            if (problem is null) _outside.Remove(repository);
            else _outside[repository] = problem;
        }

        Note();
    }

    /// <summary>What is wrong with the repositories of others, by key.</summary>
    public Dictionary<string, string> OutsideTroubles()
    {
        lock (_lock) return new Dictionary<string, string>(_outside, StringComparer.Ordinal);
    }

    /// <summary>The sources in the order of the configuration.</summary>
    public ImmutableArray<SourceStatus> Sources(MasterState state, IReadOnlyDictionary<string, string> kinds)
    {
        lock (_lock)
        {
            return [.. (state.Settings?.Sources ?? []).Select(name =>
            {
                var known = state.Sources.GetValueOrDefault(name) ?? new SourceState();
                var seen = _sources.GetValueOrDefault(name);
                return new SourceStatus
                {
                    Name = name,
                    Kind = kinds.GetValueOrDefault(name, ""),
                    LastSuccess = seen?.LastSuccess,
                    Error = seen?.Error,
                    Packages = known.Total,
                    LastParsed = known.LastParsed,
                    TotalParsed = known.TotalParsed,
                    LastPollSeconds = Math.Round(seen?.Took.TotalSeconds ?? 0, 3),
                    Cursor = known.Cursor ?? "",
                };
            })];
        }
    }

    /// <summary>When a builder other than this one was last heard of; null if none was since the start.</summary>
    public DateTimeOffset? LastSeenBesides(string builder)
    {
        lock (_lock) return _builders.Values.Where(seen => seen.Name != builder).Max(seen => seen.LastSeen);
    }

    /// <summary>The validated builders in the order of the configuration, seen or not.</summary>
    public ImmutableArray<BuilderStatus> Builders(MasterState state)
    {
        lock (_lock)
        {
            return [.. (state.Settings?.Builders ?? []).Select(b =>
                _builders.GetValueOrDefault(b.Name) is { } seen && seen.Url == b.Url && seen.PublicKey == b.PublicKey
                    ? seen
                    : new BuilderStatus { Name = b.Name, Url = b.Url, PublicKey = b.PublicKey })];
        }
    }

    private void Note()
    {
        Interlocked.Increment(ref _revision);
        Changed();
    }
}

/// <summary>How the last poll of a source went.</summary>
/// <param name="LastSuccess">When one last succeeded; null if never since the start.</param>
/// <param name="Error">Why the last one failed; null if it did not.</param>
/// <param name="Took">How long it took.</param>
internal sealed record SourceSighting(DateTimeOffset? LastSuccess, string? Error, TimeSpan Took);
