namespace Quarters.Alpm;

/// <summary>A package's <c>.MTREE</c>: mode, size, time and hash of everything in it.</summary>
/// <remarks>Source: bsdtar's <c>--format=mtree</c> with makepkg's options; mtree(5).</remarks>
public static class Mtree
{
    /// <summary>Reads a .MTREE, compressed (as makepkg writes it) or not.</summary>
    /// <param name="mtree">Read from where it stands to the end, and left open.</param>
    /// <param name="maxLength">The most bytes that it may unpack to.</param>
    /// <returns>The entries in the order of the file.</returns>
    /// <exception cref="AlpmFormatException">A line is malformed, or it is corrupt, cut off or too long.</exception>
    public static IReadOnlyList<MtreeEntry> Read(Stream mtree, int maxLength) => MtreeText.Read(mtree, maxLength);
}

/// <summary>One entry of a .MTREE.</summary>
/// <param name="Path">Without the leading <c>./</c>.</param>
/// <param name="Type">What it is; mtree knows no hard links.</param>
/// <param name="Mode">The permission bits.</param>
/// <param name="Size">Bytes; 0 for all but files.</param>
/// <param name="Time">When it was modified.</param>
/// <param name="Sha256">Lower-case hex; null for all but files.</param>
/// <param name="LinkTarget">Where a symbolic link points; null for all others.</param>
public sealed record MtreeEntry(
    string Path, PackageEntryType Type, int Mode, long Size, DateTimeOffset Time, string? Sha256, string? LinkTarget);
