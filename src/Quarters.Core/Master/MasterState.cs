using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>
/// What the master knows: the sum of its journal. Immutable; <see cref="MasterMachine"/> makes the next one. What is
/// marked as derived is not stored but made again from the rest.
/// </summary>
public sealed record MasterState
{
    /// <summary>Older snapshots than so many are forgotten, unless a build uses them; results against those are
    /// refused.</summary>
    public const int MaxSnapshots = 1000;

    /// <summary>The outcomes of so many signals are remembered, the newest.</summary>
    public const int MaxSignals = 1000;

    /// <summary>So many changes of the repositories can be taken back, the newest.</summary>
    public const int MaxChanges = 100;

    /// <summary>So many notices a repository's feed, and that of failures, keep.</summary>
    public const int MaxNotices = 100;

    /// <summary>So many notices a packager's feed keeps.</summary>
    public const int MaxNoticesOfPackager = 25;

    /// <summary>So many packagers have notices: those that had one last.</summary>
    public const int MaxPackagers = 1000;

    /// <summary>Knows nothing yet.</summary>
    public static MasterState Empty { get; } = new();

    /// <summary>How many events it is made of.</summary>
    public long Revision { get; init; }

    /// <summary>The owner's decisions; null before the first configuration.</summary>
    public MasterSettings? Settings { get; init; }

    /// <summary>The builders whose results are looked at, by name: those of the configuration and those that an
    /// operator listed.</summary>
    public ImmutableSortedDictionary<string, BuilderRecord> Builders { get; init; } =
        ImmutableSortedDictionary.Create<string, BuilderRecord>(StringComparer.Ordinal);

    /// <summary>What became of signals, by id: at most <see cref="MaxSignals"/>.</summary>
    public ImmutableDictionary<string, SignalOutcome> Signals { get; init; } =
        ImmutableDictionary<string, SignalOutcome>.Empty;

    /// <summary>How far each operator's signals were settled, by the operator's name.</summary>
    public ImmutableSortedDictionary<string, SignalMark> OperatorMarks { get; init; } =
        ImmutableSortedDictionary.Create<string, SignalMark>(StringComparer.Ordinal);

    /// <summary>The sources by name.</summary>
    public ImmutableSortedDictionary<string, SourceState> Sources { get; init; } =
        ImmutableSortedDictionary.Create<string, SourceState>(StringComparer.Ordinal);

    /// <summary>Every package base that a source holds or held, by name.</summary>
    public ImmutableDictionary<string, PackageRecord> Packages { get; init; } =
        ImmutableDictionary<string, PackageRecord>.Empty;

    /// <summary>The changes that wait until an operator accepts them, by package base.</summary>
    public ImmutableSortedDictionary<string, PendingReview> Reviews { get; init; } =
        ImmutableSortedDictionary.Create<string, PendingReview>(StringComparer.Ordinal);

    /// <summary>What could not be read, by <see cref="PathKey"/>.</summary>
    public ImmutableDictionary<string, UnreadablePackage> Unreadable { get; init; } =
        ImmutableDictionary<string, UnreadablePackage>.Empty;

    /// <summary>All jobs by id.</summary>
    public ImmutableDictionary<string, Job> Jobs { get; init; } = ImmutableDictionary<string, Job>.Empty;

    /// <summary>Our own repositories by <see cref="RepositoryKey"/>.</summary>
    public ImmutableSortedDictionary<string, RepositoryState> Repositories { get; init; } =
        ImmutableSortedDictionary.Create<string, RepositoryState>(StringComparer.Ordinal);

    /// <summary>The mass rebuilds that are neither merged nor dropped, by name.</summary>
    public ImmutableSortedDictionary<string, Rebuild> Rebuilds { get; init; } =
        ImmutableSortedDictionary.Create<string, Rebuild>(StringComparer.Ordinal);

    /// <summary>The shared libraries that our repositories offer no longer and that something in them is linked with,
    /// by <see cref="LostLibrary.Key"/>.</summary>
    public ImmutableSortedDictionary<string, LostLibrary> Lost { get; init; } =
        ImmutableSortedDictionary.Create<string, LostLibrary>(StringComparer.Ordinal);

    /// <summary>The bootstraps that are neither merged nor dropped, by name; their stages are among
    /// <see cref="Rebuilds"/>.</summary>
    public ImmutableSortedDictionary<string, Bootstrap> Bootstraps { get; init; } =
        ImmutableSortedDictionary.Create<string, Bootstrap>(StringComparer.Ordinal);

    /// <summary>The changes of our repositories that can be taken back, the newest last.</summary>
    public ImmutableList<RecordedChange> Changes { get; init; } = [];

    /// <summary>What there is to tell people, by <see cref="FeedName"/>, the newest last: of each feed so much as it
    /// keeps.</summary>
    public ImmutableDictionary<string, ImmutableList<Notice>> Notices { get; init; } =
        ImmutableDictionary<string, ImmutableList<Notice>>.Empty;

    /// <summary>The pinned repositories of others by <see cref="RepositoryKey"/>.</summary>
    public ImmutableSortedDictionary<string, PinnedRepository> Outside { get; init; } =
        ImmutableSortedDictionary.Create<string, PinnedRepository>(StringComparer.Ordinal);

    /// <summary>The snapshots that builds were offered, by id: at most <see cref="MaxSnapshots"/>.</summary>
    public ImmutableDictionary<string, SnapshotRecord> Snapshots { get; init; } =
        ImmutableDictionary<string, SnapshotRecord>.Empty;

    /// <summary>Derived: the package base at a path of a source, by <see cref="PathKey"/>.</summary>
    [JsonIgnore]
    public ImmutableDictionary<string, string> Paths { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Derived: who offers what and who waits for whom, by architecture.</summary>
    [JsonIgnore]
    public ImmutableDictionary<string, ArchitecturePlan> Plans { get; init; } =
        ImmutableDictionary<string, ArchitecturePlan>.Empty;

    /// <summary>Derived: the jobs that a builder may claim.</summary>
    [JsonIgnore]
    public ImmutableSortedSet<string> Ready { get; init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    /// <summary>Derived: the jobs that a builder said it builds.</summary>
    [JsonIgnore]
    public ImmutableSortedSet<string> Building { get; init; } =
        ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    /// <summary>Derived: the jobs that lack something.</summary>
    [JsonIgnore]
    public ImmutableSortedSet<string> Blocked { get; init; } =
        ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    /// <summary>Derived: the jobs that failed, the latest first.</summary>
    [JsonIgnore]
    public ImmutableSortedSet<Ended> Failed { get; init; } = Ended.None;

    /// <summary>Derived: the jobs that were built, the latest first.</summary>
    [JsonIgnore]
    public ImmutableSortedSet<Ended> Built { get; init; } = Ended.None;

    /// <summary>Derived: how many of the packages that can be read are in which status.</summary>
    [JsonIgnore]
    public StatusCounts Readable { get; init; } = new(0, 0, 0, 0, 0, 0, 0);

    /// <summary>Derived: the jobs that a builder may claim, the most urgent first.</summary>
    [JsonIgnore]
    public ImmutableSortedSet<QueuePlace> Queue { get; init; } =
        ImmutableSortedSet.Create(QueuePlace.MostUrgentFirst);

    /// <summary>Derived: the jobs that are ready, building or blocked, the most urgent first.</summary>
    [JsonIgnore]
    public ImmutableSortedSet<QueuePlace> Open { get; init; } =
        ImmutableSortedSet.Create(QueuePlace.MostUrgentFirst);

    /// <summary>Derived: how long the builds of all open jobs are expected to take on a builder of weight 1, in
    /// milliseconds.</summary>
    [JsonIgnore]
    public long OpenMilliseconds { get; init; }

    /// <summary>Derived: the recorded costs of packages for any architecture.</summary>
    [JsonIgnore]
    public KnownCosts CostsOfAny { get; init; } = KnownCosts.None;

    /// <summary>Derived: the recorded costs of all other packages.</summary>
    [JsonIgnore]
    public KnownCosts CostsOfCompiled { get; init; } = KnownCosts.None;

    /// <summary>The builders that could build a job: those of its architecture.</summary>
    public IEnumerable<BuilderRecord> BuildersFor(Job job) => BuildersFor(Builders.Values, Settings!, job);

    internal static IEnumerable<BuilderRecord> BuildersFor(
        IEnumerable<BuilderRecord> listed, MasterSettings settings, Job job) =>
        listed.Where(builder => builder.Description.Architectures.Contains(settings.ArchitectureOf(job)));

    /// <summary>What a job builds: the source package, or that of its rebuild; null when that is gone.</summary>
    public SourcePackage? SourceOf(Job job) => SourceOf(job, Packages, Rebuilds);

    internal static SourcePackage? SourceOf(
        Job job, IReadOnlyDictionary<string, PackageRecord> packages, IReadOnlyDictionary<string, Rebuild> rebuilds) =>
        job.Rebuild is null
            ? packages.GetValueOrDefault(job.Pkgbase)?.Source
            : rebuilds.GetValueOrDefault(job.Rebuild)?.Members.GetValueOrDefault(job.Pkgbase)?.Source;

    /// <summary>Where plans for an architecture are found: those of a rebuild apart.</summary>
    public static string PlanKey(string architecture, string? rebuild) =>
        rebuild is null ? architecture : architecture + "@" + rebuild;

    /// <summary>The key of a place in a source.</summary>
    public static string PathKey(string source, string path) => source + "\n" + path;

    /// <summary>The source's name in a <see cref="PathKey"/>.</summary>
    public static string SourceOfPathKey(string key) => key[..key.IndexOf('\n', StringComparison.Ordinal)];

    /// <summary>The key of a repository for one architecture: <c>NAME/ARCH</c>.</summary>
    public static string RepositoryKey(string repository, string architecture) => repository + "/" + architecture;
}

/// <summary>A source and where the next poll goes on.</summary>
public sealed record SourceState
{
    /// <summary>The source's own mark; null before the first poll.</summary>
    public string? Cursor { get; init; }

    /// <summary>Packages in it.</summary>
    public int Total { get; init; }

    /// <summary>PKGBUILDs read by the last poll that found something new.</summary>
    public int LastParsed { get; init; }

    /// <summary>PKGBUILDs read by all polls.</summary>
    public long TotalParsed { get; init; }
}

/// <summary>A package base.</summary>
public sealed record PackageRecord
{
    /// <summary>What its source says; null when the source holds it no more.</summary>
    public SourcePackage? Source { get; init; }

    /// <summary>What its builds cost; null when none is known.</summary>
    public BuildCost? Cost { get; init; }

    /// <summary>Why and since when it is neither built nor moved; null while it is.</summary>
    public Hold? Held { get; init; }

    /// <summary>When it was last held no more; null when it never was.</summary>
    public DateTimeOffset? Released { get; init; }

    /// <summary>The source package that an operator wants built, even if a newer version is published.</summary>
    public string? Ordered { get; init; }

    /// <summary>The version that was taken out of our repositories, or back to an older one: neither it nor older ones
    /// are built again.</summary>
    public string? Withdrawn { get; init; }

    /// <summary>Its failures that were told and that it did not recover from.</summary>
    public ImmutableArray<ToldFailure> ToldFailures { get => field.IsDefault ? [] : field; init; }

    /// <summary>Its jobs, the newest last.</summary>
    public ImmutableArray<string> Jobs { get => field.IsDefault ? [] : field; init; }
}

/// <summary>One of our own repositories for one architecture.</summary>
public sealed record RepositoryState
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its architecture.</summary>
    public required string Architecture { get; init; }

    /// <summary>Its packages by name.</summary>
    public ImmutableSortedDictionary<string, RepositoryPackage> Packages { get; init; } =
        ImmutableSortedDictionary.Create<string, RepositoryPackage>(StringComparer.Ordinal);

    /// <summary>SHA-256 of the database as published; null while what is published is not what this says.</summary>
    public string? DatabaseSha256 { get; init; }

    /// <summary>The database's size in bytes.</summary>
    public long DatabaseBytes { get; init; }
}

/// <summary>A repository of others, pinned by its database.</summary>
public sealed record PinnedRepository
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its architecture.</summary>
    public required string Architecture { get; init; }

    /// <summary>SHA-256 of the database.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Its size in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>What it offers. Not stored: read from the database again.</summary>
    [JsonIgnore]
    public PackageIndex Index { get; init; } = PackageIndex.Empty;
}

/// <summary>A snapshot that builds were offered.</summary>
/// <param name="Architecture">Its architecture.</param>
/// <param name="Since">When it became the current one.</param>
/// <param name="Until">When another took its place; null while it is the current one.</param>
public sealed record SnapshotRecord(string Architecture, DateTimeOffset Since, DateTimeOffset? Until)
{
    /// <summary>The rebuild whose side repository comes first; null for none.</summary>
    public string? Rebuild { get; init; }
}
