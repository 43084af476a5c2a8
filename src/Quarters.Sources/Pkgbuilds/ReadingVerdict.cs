using Quarters.Alpm;

namespace Quarters.Sources.Pkgbuilds;

/// <summary>Says what came of reading a PKGBUILD: what it says, or in a few lines why it is not to be had.</summary>
internal sealed class ReadingVerdict(PkgbuildReaderSettings settings)
{
    private const int MaxProblemLines = 6;
    private const int MaxProblemLength = 1000;
    private const int SignalBase = 128;
    private const int LastSignal = 64;
    private const int SignalCpuTime = SignalBase + 24;
    private const int SignalFileSize = SignalBase + 25;

    /// <summary>Of one that was read alone.</summary>
    internal PkgbuildReading Of(ReadingFrames answer, string place) => answer.Frames is [var frame]
        ? Of(frame, place)
        : new PkgbuildReading(
            null, $"Reading it did not come to an end in {settings.WallTime.TotalSeconds} s, or it killed the shell.");

    internal PkgbuildReading Of(ReadingFrame frame, string place)
    {
        var facts = frame.Status == 0 ? PkgbuildFacts.Parse(frame.Facts.Span) : null;
        if (facts is null)
            return new PkgbuildReading(null, Explain(frame, place));
        var problems = PkgbuildLint.Check(facts);
        if (!problems.IsEmpty)
            return new PkgbuildReading(null, Clean(string.Join('\n', problems)));
        try
        {
            return new PkgbuildReading(SrcInfoOfFacts.Create(facts), null);
        }
        catch (AlpmFormatException refused)
        {
            return new PkgbuildReading(null, Clean(refused.Message));
        }
    }

    private string Explain(ReadingFrame frame, string place)
    {
        var how = frame.Status switch
        {
            0 => "It ended the shell before it was read to its end (exit, exec, or kill).",
            SignalCpuTime => $"Reading it used more than {settings.CpuTime.TotalSeconds} s of processor time.",
            SignalFileSize => $"Reading it wrote a file of more than {settings.MaxFileBytes} bytes.",
            > SignalBase and <= SignalBase + LastSignal =>
                $"The shell that read it was ended by signal {frame.Status - SignalBase}.",
            _ => $"The shell that read it exited with {frame.Status}.",
        };
        var said = frame.Errors.Replace($"/trees/{place}/", "", StringComparison.Ordinal).Trim();
        return Clean(said.Length == 0 || frame.Status is 0 or > SignalBase ? $"{how}\n{said}" : said);
    }

    private static string Clean(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(line => new string([.. line.Select(character => char.IsControl(character) ? ' ' : character)]));
        var all = lines.ToList();
        var kept = string.Join(
            '\n', all.Count > MaxProblemLines ? all.Take(1).Concat(all.TakeLast(MaxProblemLines - 1)) : all);
        return kept.Length > MaxProblemLength ? kept[..MaxProblemLength] + "…" : kept;
    }
}
