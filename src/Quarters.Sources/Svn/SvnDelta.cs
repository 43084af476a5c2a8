using System.Diagnostics.CodeAnalysis;

namespace Quarters.Sources.Svn;

/// <summary>Applies a difference between two texts as Subversion writes it. Source:
/// <c>notes/svndiff</c> of Subversion, version 0.</summary>
internal static class SvnDelta
{
    private static readonly byte[] Magic = [(byte)'S', (byte)'V', (byte)'N', 0];

    /// <summary>The new text.</summary>
    /// <param name="source">The text before.</param>
    /// <param name="delta">The difference.</param>
    /// <param name="maxBytes">How long the new text may be.</param>
    /// <param name="result">The text, when all of it can be had.</param>
    /// <returns>False when the difference is of another version, damaged, or of another text, or leads to one that is
    /// too long.</returns>
    internal static bool TryApply(
        ReadOnlySpan<byte> source, ReadOnlySpan<byte> delta, long maxBytes, [NotNullWhen(true)] out byte[]? result)
    {
        result = null;
        if (!delta.StartsWith(Magic))
            return false;
        delta = delta[Magic.Length..];
        var target = new List<byte>();
        while (!delta.IsEmpty)
        {
            if (!TryNumber(ref delta, out var offset) || !TryNumber(ref delta, out var viewed)
                || !TryNumber(ref delta, out var wanted) || !TryNumber(ref delta, out var coded)
                || !TryNumber(ref delta, out var added) || coded > delta.Length || added > delta.Length - coded
                || offset > source.Length || viewed > source.Length - offset || wanted > maxBytes - target.Count)
                return false;
            var start = target.Count;
            if (!TryWindow(
                    source.Slice((int)offset, (int)viewed), delta[..(int)coded],
                    delta[(int)coded..(int)(coded + added)], start, (int)wanted, target)
                || target.Count - start != wanted)
                return false;
            delta = delta[(int)(coded + added)..];
        }

        result = [.. target];
        return true;
    }

    private static bool TryWindow(
        ReadOnlySpan<byte> view, ReadOnlySpan<byte> instructions, ReadOnlySpan<byte> data, int start, int wanted,
        List<byte> target)
    {
        while (!instructions.IsEmpty)
        {
            var (kind, length) = (instructions[0] >> 6, (long)(instructions[0] & 0x3F));
            instructions = instructions[1..];
            var offset = 0L;
            if ((length == 0 && !TryNumber(ref instructions, out length))
                || (kind < 2 && !TryNumber(ref instructions, out offset))
                || length > wanted - (target.Count - start))
                return false;
            switch (kind)
            {
                case 0 when offset <= view.Length && length <= view.Length - offset:
                    target.AddRange(view.Slice((int)offset, (int)length));
                    break;
                case 1 when offset < target.Count - start:
                    // It may run into what it writes itself: that is how a repetition is said.
                    for (var i = 0; i < length; i++)
                        target.Add(target[start + (int)offset + i]);
                    break;
                case 2 when length <= data.Length:
                    target.AddRange(data[..(int)length]);
                    data = data[(int)length..];
                    break;
                default:
                    return false;
            }
        }

        return true;
    }

    /// <summary>Seven bits a byte, the highest first; all but the last have the eighth set.</summary>
    private static bool TryNumber(ref ReadOnlySpan<byte> bytes, out long number)
    {
        number = 0;
        for (var i = 0; i < bytes.Length && number < 1L << 48; i++)
        {
            number = (number << 7) | (uint)(bytes[i] & 0x7F);
            if ((bytes[i] & 0x80) != 0)
                continue;
            bytes = bytes[(i + 1)..];
            return true;
        }

        return false;
    }
}
