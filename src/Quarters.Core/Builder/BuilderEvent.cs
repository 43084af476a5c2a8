using System.Text.Json.Serialization;
using Quarters.Core.Documents;

namespace Quarters.Core.Builder;

/// <summary>Something that happened to a builder: the lines of its journal.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(Started), "started")]
[JsonDerivedType(typeof(Reserved), "reserved")]
[JsonDerivedType(typeof(Claimed), "claimed")]
[JsonDerivedType(typeof(BuildBegun), "buildBegun")]
[JsonDerivedType(typeof(BuildEnded), "buildEnded")]
[JsonDerivedType(typeof(ClaimDropped), "claimDropped")]
[JsonDerivedType(typeof(ResultSettled), "resultSettled")]
public abstract record BuilderEvent;

/// <summary>The builder began to run. Each start has a revision of its own, so that a document never goes
/// back.</summary>
/// <param name="Version">The software's version.</param>
public sealed record Started(string Version) : BuilderEvent;

/// <summary>It wants to build this job next, and fetches what it needs.</summary>
public sealed record Reserved(QueueJob Job) : BuilderEvent;

/// <summary>It wants to build this job now; it may have been reserved.</summary>
public sealed record Claimed(QueueJob Job) : BuilderEvent;

/// <summary>The build runs.</summary>
public sealed record BuildBegun(string Job, int Attempt) : BuilderEvent;

/// <summary>The build ended; its files are on disk.</summary>
public sealed record BuildEnded(BuildResult Result) : BuilderEvent;

/// <summary>The claim is given up without a result.</summary>
/// <param name="Job">The job.</param>
/// <param name="Attempt">Its attempt.</param>
/// <param name="Reason">Why, in a sentence.</param>
/// <param name="IsCrash">Whether nobody wanted that: the claim was found in the journal of a builder that did not stop
/// but ended, and the build may be what ended it.</param>
public sealed record ClaimDropped(string Job, int Attempt, string Reason, bool IsCrash = false) : BuilderEvent;

/// <summary>The master has settled the attempt: its files need not be kept.</summary>
public sealed record ResultSettled(string Job, int Attempt, string How) : BuilderEvent;
