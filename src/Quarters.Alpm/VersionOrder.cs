namespace Quarters.Alpm;

/// <summary>The order of <c>alpm_pkg_vercmp</c>, which pacman took from RPM and then kept for ever.</summary>
public static class VersionOrder
{
    /// <summary>Orders two full versions: epoch, then version, then release if both have one.</summary>
    public static int Compare(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        if (a.SequenceEqual(b)) return 0;
        Split(a, out var epochA, out var versionA, out var releaseA, out var hasReleaseA);
        Split(b, out var epochB, out var versionB, out var releaseB, out var hasReleaseB);
        var order = ComparePart(epochA, epochB);
        if (order == 0) order = ComparePart(versionA, versionB);
        if (order == 0 && hasReleaseA && hasReleaseB) order = ComparePart(releaseA, releaseB);
        return order;
    }

    /// <summary>Splits as libalpm does: digits up to a colon are the epoch, the last hyphen begins the
    /// release.</summary>
    private static void Split(
        ReadOnlySpan<char> full,
        out ReadOnlySpan<char> epoch, out ReadOnlySpan<char> version, out ReadOnlySpan<char> release,
        out bool hasRelease)
    {
        var digits = 0;
        while (digits < full.Length && char.IsAsciiDigit(full[digits])) digits++;
        var hasEpoch = digits < full.Length && full[digits] == ':';
        epoch = hasEpoch && digits > 0 ? full[..digits] : "0";
        version = hasEpoch ? full[(digits + 1)..] : full;
        var hyphen = version.LastIndexOf('-');
        hasRelease = hyphen >= 0;
        release = hasRelease ? version[(hyphen + 1)..] : default;
        if (hasRelease) version = version[..hyphen];
    }

    /// <summary>Orders two parts segment by segment: runs of digits, runs of letters, and what separates
    /// them.</summary>
    internal static int ComparePart(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        if (a.SequenceEqual(b)) return 0;
        while (!a.IsEmpty && !b.IsEmpty)
        {
            var separatorA = SkipSeparators(ref a);
            var separatorB = SkipSeparators(ref b);
            if (a.IsEmpty || b.IsEmpty) break;
            if (separatorA != separatorB) return separatorA < separatorB ? -1 : 1;

            var numeric = char.IsAsciiDigit(a[0]);
            var segmentA = TakeSegment(ref a, numeric);
            var segmentB = TakeSegment(ref b, numeric);
            // A number is newer than letters, whichever side it is on.
            if (segmentB.IsEmpty) return numeric ? 1 : -1;
            var order = numeric ? CompareNumbers(segmentA, segmentB) : segmentA.SequenceCompareTo(segmentB);
            if (order != 0) return order < 0 ? -1 : 1;
        }

        if (a.IsEmpty && b.IsEmpty) return 0;
        // What is left decides: letters make a version older (1.0rc < 1.0), anything else makes it newer (1.0 < 1.0.1).
        var older = (a.IsEmpty && !char.IsAsciiLetter(b[0])) || (!a.IsEmpty && char.IsAsciiLetter(a[0]));
        return older ? -1 : 1;
    }

    /// <summary>Skips to the next letter or digit, and returns the length skipped in bytes of UTF-8, as libalpm
    /// counts.</summary>
    private static int SkipSeparators(ref ReadOnlySpan<char> text)
    {
        int i = 0, bytes = 0;
        for (; i < text.Length && !char.IsAsciiLetterOrDigit(text[i]); i++)
        {
            var c = text[i];
            // A surrogate pair is four bytes of UTF-8: two for each half.
            bytes += c < 0x80 ? 1 : c < 0x800 || char.IsSurrogate(c) ? 2 : 3;
        }
        text = text[i..];
        return bytes;
    }

    private static ReadOnlySpan<char> TakeSegment(ref ReadOnlySpan<char> text, bool numeric)
    {
        var i = 0;
        while (i < text.Length && (numeric ? char.IsAsciiDigit(text[i]) : char.IsAsciiLetter(text[i]))) i++;
        var segment = text[..i];
        text = text[i..];
        return segment;
    }

    /// <summary>Numbers of any length: without leading zeros the longer is the greater.</summary>
    private static int CompareNumbers(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        a = a.TrimStart('0');
        b = b.TrimStart('0');
        return a.Length != b.Length ? a.Length - b.Length : a.SequenceCompareTo(b);
    }
}
