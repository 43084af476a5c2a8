using System.Text.Json.Serialization;

namespace Quarters.Core.Documents;

/// <summary>
/// What an operator asks of the master: a small file in its spool, which it reads, journals, and acts on once. The
/// members beside these depend on <c>kind</c>.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(AddBuilder), AddBuilder.Kind)]
[JsonDerivedType(typeof(DrainBuilder), DrainBuilder.Kind)]
[JsonDerivedType(typeof(RemoveBuilder), RemoveBuilder.Kind)]
[JsonDerivedType(typeof(RetryJob), RetryJob.Kind)]
[JsonDerivedType(typeof(JudgeChange), JudgeChange.Kind)]
[JsonDerivedType(typeof(BuildNow), BuildNow.Kind)]
[JsonDerivedType(typeof(CancelJob), CancelJob.Kind)]
[JsonDerivedType(typeof(HoldPackage), HoldPackage.Kind)]
[JsonDerivedType(typeof(ReleasePackage), ReleasePackage.Kind)]
[JsonDerivedType(typeof(MovePackages), MovePackages.Kind)]
[JsonDerivedType(typeof(RemovePackages), RemovePackages.Kind)]
[JsonDerivedType(typeof(UndoChange), UndoChange.Kind)]
[JsonDerivedType(typeof(BeginRebuild), BeginRebuild.Kind)]
[JsonDerivedType(typeof(BeginBootstrap), BeginBootstrap.Kind)]
[JsonDerivedType(typeof(MergeRebuild), MergeRebuild.Kind)]
[JsonDerivedType(typeof(DropRebuild), DropRebuild.Kind)]
[JsonDerivedType(typeof(ReloadConfiguration), ReloadConfiguration.Kind)]
[JsonDerivedType(typeof(AdoptRepository), AdoptRepository.Kind)]
[JsonDerivedType(typeof(CollectGarbage), CollectGarbage.Kind)]
public abstract record Signal
{
    /// <summary>No signal is larger than this, in bytes: the names of all packages of a distribution fit.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>No id is longer than this many characters.</summary>
    public const int MaxIdLength = 64;

    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = Schemas.Signal;

    /// <summary>Its name, which its file has too: a signal is acted on once, however often it is read.</summary>
    public required string Id { get; init; }

    /// <summary>When it was written, by the writer's clock.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>What is asked for, as the document names it.</summary>
    [JsonIgnore]
    public abstract string KindName { get; }

    /// <summary>Whether a text may be an id, and so a part of a path: letters, digits and <c>-</c>.</summary>
    public static bool IsValidId(string text) =>
        text.Length is > 0 and <= MaxIdLength && text[0] != '-'
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
}

/// <summary>List a builder, or give a listed one another address.</summary>
public sealed record AddBuilder : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "addBuilder";

    /// <summary>The name to know it by.</summary>
    public required string Name { get; init; }

    /// <summary>The base URL of its public tree.</summary>
    public required string Url { get; init; }

    /// <summary>The key that it must prove, <c>sha256:HEX</c>.</summary>
    public required string PublicKey { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}

/// <summary>Give a builder nothing new; or, undone, give it jobs again.</summary>
public sealed record DrainBuilder : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "drainBuilder";

    /// <summary>The builder's name.</summary>
    public required string Name { get; init; }

    /// <summary>Whether it may take jobs again.</summary>
    public bool Undo { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}

/// <summary>Take a builder off the list.</summary>
public sealed record RemoveBuilder : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "removeBuilder";

    /// <summary>The builder's name.</summary>
    public required string Name { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}

/// <summary>Try what failed again, at once and by anybody.</summary>
public sealed record RetryJob : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "retry";

    /// <summary>A job's id; or a package base, for all its jobs.</summary>
    public required string Name { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}
