using System.Collections.Immutable;

namespace Quarters.Core.Master;

/// <summary>What is different where packages are built for an architecture.</summary>
/// <param name="Accepts">Further architectures whose packages may be installed there, as in pacman.conf's
/// <c>Architecture</c>.</param>
/// <param name="Makepkg">Lines that are read after the root's makepkg.conf.</param>
public sealed record ArchitectureTraits(ImmutableArray<string> Accepts, ImmutableArray<string> Makepkg)
{
    private const int MaxAccepts = 16;
    private const int MaxLines = 100;
    private const int MaxLineLength = 1000;

    /// <summary>Nothing is.</summary>
    public static ArchitectureTraits None { get; } = new([], []);

    /// <summary>What cannot be, in a part of a sentence; null when all can.</summary>
    public static string? FindFault(IReadOnlyCollection<string> accepts, IReadOnlyCollection<string> makepkg) =>
        accepts.Count > MaxAccepts || !accepts.All(name => name is not null && NodeName.IsValid(name))
            ? $"accepts must be at most {MaxAccepts} names of architectures"
            : makepkg.Count > MaxLines || !makepkg.All(IsLine)
                ? $"makepkg must be at most {MaxLines} lines of at most {MaxLineLength} characters"
                : null;

    private static bool IsLine(string? line) =>
        line is { Length: <= MaxLineLength } && !line.Any(char.IsControl);
}
