using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Quarters.Sources.Pkgbuilds;

/// <summary>What the reading shell printed for one PKGBUILD.</summary>
/// <param name="Status">How its subshell ended.</param>
/// <param name="Facts">Its facts, behind the limits that it began with.</param>
/// <param name="Errors">The end of what was written to standard error.</param>
internal sealed record ReadingFrame(int Status, ReadOnlyMemory<byte> Facts, string Errors);

/// <summary>Takes the reading shell's output as it comes and cuts it into frames; one that is not as it must be ends
/// it.</summary>
internal sealed class ReadingFrames
{
    private const int MaxHeaderBytes = 64;
    private static readonly byte[] EndOfLimits = "\n--\n"u8.ToArray();

    private readonly ImmutableArray<ReadingFrame>.Builder _frames = ImmutableArray.CreateBuilder<ReadingFrame>();
    private ReadOnlyMemory<byte> _limits;
    private byte[] _pending = [];
    private int _filled;

    /// <summary>True once the shell said under which limits it runs: the sandbox stands.</summary>
    internal bool Begun { get; private set; }

    /// <summary>True when something came that the shell would not print.</summary>
    internal bool Damaged { get; private set; }

    /// <summary>The frames so far, in the order of the directories.</summary>
    internal ImmutableArray<ReadingFrame> Frames => _frames.ToImmutable();

    /// <returns>True when at least one frame was completed by these bytes.</returns>
    internal bool Add(ReadOnlySpan<byte> bytes)
    {
        if (_pending.Length - _filled < bytes.Length)
            Array.Resize(ref _pending, Math.Max(_pending.Length * 2, _filled + bytes.Length));
        bytes.CopyTo(_pending.AsSpan(_filled));
        _filled += bytes.Length;
        var before = _frames.Count;
        var taken = 0;
        while (!Damaged && TakeFrame(_pending.AsMemory(taken, _filled - taken)) is > 0 and var length)
            taken += length;
        _pending.AsSpan(taken, _filled - taken).CopyTo(_pending);
        _filled -= taken;
        return _frames.Count > before;
    }

    private int TakeFrame(ReadOnlyMemory<byte> bytes)
    {
        var end = bytes.Span[..Math.Min(bytes.Length, MaxHeaderBytes)].IndexOf((byte)'\n');
        if (end < 0)
        {
            Damaged = bytes.Length >= MaxHeaderBytes;
            return 0;
        }

        var numbers = Encoding.ASCII.GetString(bytes.Span[..end]).Split(' ');
        var parsed = new int[4];
        for (var i = 0; i < parsed.Length; i++)
            Damaged |= numbers.Length != 4
                || !int.TryParse(
                    numbers[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out parsed[i]);
        var expected = Begun ? _frames.Count : -1;
        Damaged |= parsed[0] != expected || parsed[2] < 0 || parsed[3] < 0;
        if (Damaged)
            return 0;
        var length = (long)end + 1 + parsed[2] + parsed[3];
        if (bytes.Length < length)
            return 0;
        Take(parsed[1], bytes.Slice(end + 1, parsed[2]), bytes.Slice(end + 1 + parsed[2], parsed[3]));
        return (int)length;
    }

    private void Take(int status, ReadOnlyMemory<byte> output, ReadOnlyMemory<byte> errors)
    {
        var cut = output.Span.IndexOf(EndOfLimits) + EndOfLimits.Length;
        if (!Begun)
        {
            _limits = output.ToArray();
            Begun = true;
            return;
        }

        // A neighbour before it may have lowered the limits of the shell; then nothing that follows is worth anything.
        Damaged = cut < EndOfLimits.Length || !output.Span[..cut].SequenceEqual(_limits.Span);
        if (!Damaged)
            _frames.Add(new ReadingFrame(status, output[cut..].ToArray(), Encoding.UTF8.GetString(errors.Span)));
    }
}
