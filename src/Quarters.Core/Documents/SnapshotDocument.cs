using System.Collections.Immutable;

namespace Quarters.Core.Documents;

/// <summary>
/// The repositories that a job is built against, pinned by their databases: <c>/snapshot/ID/snapshot.json</c>.
/// Immutable.
/// </summary>
public sealed record SnapshotDocument
{
    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = Schemas.Snapshot;

    /// <summary>SHA-256 over architecture, repository names and database digests, in order.</summary>
    public required string Id { get; init; }

    /// <summary>The architecture of the repositories.</summary>
    public required string Architecture { get; init; }

    /// <summary>In pacman's order of precedence: the first that has a package wins.</summary>
    public required ImmutableArray<SnapshotRepository> Repositories { get; init; }
}

/// <summary>One repository of a snapshot.</summary>
public sealed record SnapshotRepository
{
    /// <summary>Its name, as in pacman.conf.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of its database, at <c>/snapshot/ID/NAME/os/ARCH/NAME.db</c>.</summary>
    public required string DatabaseSha256 { get; init; }

    /// <summary>Its size in bytes.</summary>
    public required long DatabaseBytes { get; init; }

    /// <summary>
    /// Where its package files are: URLs as in <c>Server =</c>, or paths below the master's base URL for its own
    /// repositories. The files are checked against the database, so any mirror will do.
    /// </summary>
    public required ImmutableArray<string> Servers { get; init; }
}
