using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>
/// Something that happened to the master. Its journal is a list of these, and its state is what they add up to.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(Configured), "configured")]
[JsonDerivedType(typeof(SourcePolled), "sourcePolled")]
[JsonDerivedType(typeof(OutsidePinned), "outsidePinned")]
[JsonDerivedType(typeof(ClaimSeen), "claimSeen")]
[JsonDerivedType(typeof(ClaimLost), "claimLost")]
[JsonDerivedType(typeof(AttemptFailed), "attemptFailed")]
[JsonDerivedType(typeof(ResultAccepted), "resultAccepted")]
[JsonDerivedType(typeof(ResultRefused), "resultRefused")]
[JsonDerivedType(typeof(Retried), "retried")]
[JsonDerivedType(typeof(RepositoryPublished), "repositoryPublished")]
public abstract record MasterEvent;

/// <summary>The configuration was read and differs from what was known.</summary>
public sealed record Configured(MasterSettings Settings) : MasterEvent;

/// <summary>A source had something new.</summary>
public sealed record SourcePolled(SourceReport Report) : MasterEvent;

/// <summary>The database of a repository of others was fetched and pinned.</summary>
/// <param name="Repository">The repository's name.</param>
/// <param name="Architecture">Its architecture.</param>
/// <param name="Sha256">SHA-256 of the database.</param>
/// <param name="Bytes">Its size.</param>
public sealed record OutsidePinned(string Repository, string Architecture, string Sha256, long Bytes) : MasterEvent
{
    /// <summary>
    /// What the database offers. Not in the journal, which names the file by its hash: the shell reads it before the
    /// event is applied, at recovery too.
    /// </summary>
    [JsonIgnore]
    public PackageIndex Index { get; init; } = PackageIndex.Empty;
}

/// <summary>A builder's state says that it builds this attempt.</summary>
public sealed record ClaimSeen(string Job, int Attempt, string Builder) : MasterEvent;

/// <summary>A builder that said so says so no more, without a result, or was not heard of for too long.</summary>
/// <param name="Job">The job.</param>
/// <param name="Attempt">Its attempt.</param>
/// <param name="Builder">Who had claimed it.</param>
/// <param name="Reason">What was seen, in a sentence.</param>
/// <param name="Excused">Whether nobody else was heard of either: then the master's own link is the likelier
/// reason.</param>
public sealed record ClaimLost(string Job, int Attempt, string Builder, string Reason, bool Excused = false)
    : MasterEvent;

/// <summary>A builder presents a failure.</summary>
public sealed record AttemptFailed(string Builder, BuildResult Result) : MasterEvent;

/// <summary>A builder's packages were fetched, checked and stored; they enter the repository now.</summary>
public sealed record ResultAccepted(string Builder, BuildResult Result, ImmutableArray<RepositoryPackage> Packages)
    : MasterEvent;

/// <summary>A builder's result was not believed; nothing of it is published.</summary>
public sealed record ResultRefused(string Builder, BuildResult Result, string Reason) : MasterEvent;

/// <summary>Somebody wants what failed to be tried again at once, by anybody: what was counted against it is
/// forgotten.</summary>
/// <param name="Name">A job's id; or a package base, for all its jobs.</param>
/// <param name="Why">Who wants it and why, in a sentence.</param>
public sealed record Retried(string Name, string Why) : MasterEvent;

/// <summary>A repository's database was written and switched to.</summary>
public sealed record RepositoryPublished(string Repository, string Architecture, string Sha256, long Bytes)
    : MasterEvent;
