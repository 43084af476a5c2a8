using Quarters.Sources.Versioned;

namespace Quarters.Sources.Git;

/// <summary>A git repository to take packages from. Its url is anything that git can fetch from: <c>https://</c>,
/// <c>ssh://</c>, <c>git://</c>, <c>host:path</c>, a path.</summary>
public sealed record GitSourceSettings : VersionedSettings
{
    /// <summary>What is built of it.</summary>
    public GitReference Reference { get; init; } = GitReference.Head;

    private protected override string? FindUrlFault() => base.FindUrlFault() ?? Reference.FindFault();
}
