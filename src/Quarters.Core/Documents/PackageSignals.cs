using System.Text.Json.Serialization;

namespace Quarters.Core.Documents;

/// <summary>Build a package as its source says now, although nothing asks for it: after it was cancelled or failed, or
/// a version that is older than the published one. A version that was published is not built again.</summary>
public sealed record BuildNow : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "build";

    /// <summary>The package base.</summary>
    public required string Name { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}

/// <summary>Do not build a job, and stop whoever builds it.</summary>
public sealed record CancelJob : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "cancel";

    /// <summary>The job's id.</summary>
    public required string Name { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}

/// <summary>Neither build nor move a package until it is released.</summary>
public sealed record HoldPackage : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "hold";

    /// <summary>No reason is longer than so many characters.</summary>
    public const int MaxReasonLength = 500;

    /// <summary>The package base.</summary>
    public required string Name { get; init; }

    /// <summary>Why, for people.</summary>
    public string Reason { get => field ?? ""; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}

/// <summary>Build and move a package again that was held.</summary>
public sealed record ReleasePackage : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "release";

    /// <summary>The package base.</summary>
    public required string Name { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}

/// <summary>Build a change that needs review, or reject it.</summary>
public sealed record JudgeChange : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "review";

    /// <summary>The package base.</summary>
    public required string Name { get; init; }

    /// <summary>The archive that was looked at: another one is not accepted with it.</summary>
    public required string ArchiveSha256 { get; init; }

    /// <summary>Whether it is not wanted.</summary>
    public bool Reject { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}

/// <summary>Read the configuration again.</summary>
public sealed record ReloadConfiguration : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "reload";

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}
