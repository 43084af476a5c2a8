using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master.Polling;

/// <summary>
/// What the pollers saw last and no journal holds: when a source was last read and at what cost, when a builder was
/// last heard of and what it said it does. Lost at a restart, and seen again within one poll.
/// </summary>
internal sealed class Sightings(DateTimeOffset began)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SourceSighting> _sources = new(StringComparer.Ordinal);
    private readonly Dictionary<string, BuilderSighting> _builders = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _outside = new(StringComparer.Ordinal);
    private long _revision;

    /// <summary>Called when something was seen that a document shows.</summary>
    public Action Changed { get; set; } = () => { };

    /// <summary>Called with the jobs that somebody was seen to claim, or to claim no more.</summary>
    public Action<IReadOnlyCollection<string>> Touched { get; set; } = _ => { };

    /// <summary>Grows with everything that is seen.</summary>
    public long Revision => Interlocked.Read(ref _revision);

    public void Saw(string source, SourceSighting sighting)
    {
        lock (_lock) _sources[source] = sighting;
        Note();
    }

    public void Saw(BuilderSighting builder)
    {
        HashSet<string> touched;
        lock (_lock)
        {
            var before = _builders.GetValueOrDefault(builder.Name);
            _builders[builder.Name] = builder;
            // Until every builder was read nobody is told who claims a job (ClaimsOn): the first word of the last one
            // is news about the jobs of all.
            touched = ReferenceEquals(before?.Said, builder.Said) ? []
                : before?.Said is null ? NamedByAll()
                : [.. Named(before), .. Named(builder)];
        }

        Note();
        if (touched.Count > 0) Touched(touched);
    }

    /// <summary>Forgets a builder that is polled no more, unless another poll has seen it since.</summary>
    public void Forget(BuilderRecord builder)
    {
        HashSet<string> touched;
        lock (_lock)
        {
            touched = NamedByAll();
            if (Find(builder) is not null) _builders.Remove(builder.Name);
        }

        Note();
        Touched(touched);
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

    /// <summary>The listed builders, seen or not.</summary>
    public ImmutableArray<BuilderStatus> Builders(MasterState state)
    {
        lock (_lock)
        {
            return [.. Projection.Builders(state).Builders.Select(listed =>
            {
                var seen = Find(state.Builders[listed.Name]);
                return new BuilderStatus
                {
                    Name = listed.Name,
                    Url = listed.Url,
                    PublicKey = listed.PublicKey,
                    Architectures = listed.Architectures,
                    Weight = listed.Weight,
                    Slots = listed.Slots,
                    MemoryBytes = listed.MemoryBytes,
                    Draining = listed.Draining,
                    LastSeen = seen?.LastSeen,
                    Error = seen?.Error,
                    Claims = seen?.Said?.Claims ?? [],
                };
            })];
        }
    }

    /// <summary>What the listed builders do, for other builders.</summary>
    /// <param name="state">The state.</param>
    /// <param name="revision">The document's revision.</param>
    /// <param name="now">The time.</param>
    public DigestDocument Digest(MasterState state, long revision, DateTimeOffset now)
    {
        lock (_lock)
        {
            return BuilderSightings.Digest(
                state.Builders.Values.Select(builder => (builder.PublicKey, Find(builder))),
                job => state.Jobs.TryGetValue(job, out var known) ? known.EstimatedSeconds : 0,
                LeaseOf(state), revision, now);
        }
    }

    /// <summary>Who claims a job's current attempt, as last seen; null while somebody may be missing.</summary>
    public ImmutableArray<SeenClaim>? ClaimsOn(MasterState state, Job job, DateTimeOffset now)
    {
        lock (_lock)
        {
            return BuilderSightings.ClaimsOn(
                job, state.Builders.Values.Select(builder => (builder, Find(builder))), began, LeaseOf(state), now);
        }
    }

    private static TimeSpan LeaseOf(MasterState state) => TimeSpan.FromSeconds(state.Settings?.LeaseSeconds ?? 0);

    private BuilderSighting? Find(BuilderRecord builder) =>
        _builders.GetValueOrDefault(builder.Name) is { } seen && seen.Url == builder.Url
            && seen.PublicKey == builder.PublicKey
            ? seen
            : null;

    private HashSet<string> NamedByAll() => [.. _builders.Values.SelectMany(Named)];

    private static IEnumerable<string> Named(BuilderSighting seen) =>
        seen.Claims.Select(c => c.Job).Concat((seen.Said?.Results ?? []).Select(r => r.Job));

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
