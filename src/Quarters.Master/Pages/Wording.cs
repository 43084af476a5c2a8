using System.Globalization;
using System.Text.RegularExpressions;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Master.Pages;

/// <summary>Times, sizes and texts as people read them.</summary>
internal static partial class Wording
{
    /// <summary>The most of a reason that a table shows; the job's own page shows more.</summary>
    public const int ShortReason = 160;

    /// <summary>The most of the name of a stage or a phase that is shown.</summary>
    public const int StageLength = 40;

    /// <summary>The most of a reason that any page shows.</summary>
    public const int LongReason = 4000;

    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>How long ago, in one unit: <c>3 min ago</c>.</summary>
    public static string Ago(TimeSpan age) => age < TimeSpan.FromSeconds(1) ? "just now" : age switch
    {
        { TotalMinutes: < 1 } => $"{age.Seconds} s ago",
        { TotalHours: < 1 } => $"{age.Minutes} min ago",
        { TotalDays: < 2 } => $"{(int)age.TotalHours} h ago",
        _ => $"{(int)age.TotalDays} days ago",
    };

    /// <summary>A duration in two units at most: <c>0.4 s</c>, <c>3 min 5 s</c>, <c>2 h 10 min</c>.</summary>
    public static string Duration(TimeSpan duration) => duration switch
    {
        { TotalSeconds: < 0 } => "0 s",
        { TotalSeconds: < 10 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.#} s"),
        { TotalMinutes: < 1 } => $"{duration.Seconds} s",
        { TotalHours: < 1 } => $"{duration.Minutes} min {duration.Seconds} s",
        { TotalDays: < 2 } => $"{(int)duration.TotalHours} h {duration.Minutes} min",
        _ => $"{(int)duration.TotalDays} days {duration.Hours} h",
    };

    /// <summary>A duration that a peer gave in seconds; what is no duration is nothing.</summary>
    public static TimeSpan Seconds(double seconds) =>
        seconds is > 0 and < 1e9 ? TimeSpan.FromSeconds(seconds) : TimeSpan.Zero;

    /// <summary>A size: <c>512 B</c>, <c>1.4 MiB</c>.</summary>
    public static string Size(long bytes)
    {
        double amount = Math.Max(0, bytes);
        var unit = 0;
        for (; amount >= 1024 && unit < Units.Length - 1; unit++) amount /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{amount:0.#} {Units[unit]}");
    }

    /// <summary>What a builder says that a build does now.</summary>
    public static string Stage(Claim? claim) => Clip(claim?.Stage ?? "not said yet", StageLength);

    /// <summary>The first digits of a key, <c>sha256:HEX</c>.</summary>
    public static string ShortKey(string key) => Short(key[(key.IndexOf(':', StringComparison.Ordinal) + 1)..]);

    /// <summary>The first digits of a hash or a commit: enough to tell it by eye.</summary>
    public static string Short(string? hash) => hash is null ? "" : hash[..Math.Min(hash.Length, 12)];

    /// <summary>A status as documents and addresses write it.</summary>
    public static string Name(JobStatus status) => status switch
    {
        JobStatus.Blocked => "blocked",
        JobStatus.Ready => "ready",
        JobStatus.Building => "building",
        JobStatus.Built => "built",
        JobStatus.Failed => "failed",
        _ => "superseded",
    };

    /// <summary>How an attempt ended, in a word.</summary>
    public static string Name(AttemptEnd end) => end switch
    {
        AttemptEnd.Accepted => "accepted",
        AttemptEnd.Refused => "refused",
        AttemptEnd.Lost => "lost",
        AttemptEnd.GivenUp => "given up",
        AttemptEnd.Witnessed => "to be confirmed",
        _ => "failed",
    };

    /// <summary>
    /// A text from elsewhere, cut to a length, without the characters that would move or reorder what stands around
    /// them: control characters, and those that change the direction of writing.
    /// </summary>
    public static string Clip(string text, int length)
    {
        var end = Math.Min(text.Length, length);
        // A pair of surrogates is one character.
        if (end < text.Length && end > 0 && char.IsHighSurrogate(text[end - 1])) end--;
        var kept = string.Create(end, text, (span, from) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = IsQuiet(from[i]) ? from[i] : '\uFFFD';
        });
        return end < text.Length ? kept + "…" : kept;
    }

    /// <summary>A line of a log, cut to a length, without the codes by which a terminal would colour it.</summary>
    public static string LogLine(string line, int length) =>
        Clip(TerminalCode().Replace(line[..Math.Min(line.Length, 4 * length)], ""), length);

    // ECMA-48, 5.4: a control sequence.
    [GeneratedRegex(@"\e\[[0-?]*[ -/]*[@-~]")]
    private static partial Regex TerminalCode();

    private static bool IsQuiet(char c) =>
        c is '\n' or '\t'
        || !(char.IsControl(c) || c is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069'));
}
