using System.Text;

namespace Quarters.Chroots.Builds;

/// <summary>
/// Reads the output of a build while it passes to the caller: what phase makepkg is in, its errors, and the last lines.
/// A build may print what it likes, so all of this is for people; nothing is decided by it but the name of a stage.
/// </summary>
internal sealed class BuildLog(LogSink? sink, Action<BuildPhase> enter, TimeProvider time)
{
    /// <summary>Printed by the sandbox just before makepkg starts, to tell its time from ours.</summary>
    internal const string Marker = "==> Quarters starts makepkg";

    private const int KeptLines = 40;
    private const int KeptErrors = 20;
    private const int MaxLineBytes = 2000;

    private static readonly (string Start, BuildPhase Phase)[] Marks =
    [
        ("==> Checking runtime dependencies", BuildPhase.Dependencies),
        ("==> Retrieving sources", BuildPhase.Sources),
        ("==> Extracting sources", BuildPhase.Prepare),
        ("==> Starting prepare()", BuildPhase.Prepare),
        ("==> Starting pkgver()", BuildPhase.Prepare),
        ("==> Starting build()", BuildPhase.Build),
        ("==> Starting check()", BuildPhase.Check),
        ("==> Entering fakeroot environment", BuildPhase.Package),
        ("==> Starting package", BuildPhase.Package),
    ];

    private readonly Queue<string> _last = new();
    private readonly List<string> _errors = [];
    private readonly List<byte> _line = new(200);
    private long _lastOutput = time.GetTimestamp();

    /// <summary>Since when nothing was printed.</summary>
    internal TimeSpan Silence => time.GetElapsedTime(Interlocked.Read(ref _lastOutput));

    /// <summary>When makepkg started, as a timestamp of the clock; null before it has.</summary>
    internal long? MakepkgStarted { get; private set; }

    /// <summary>The last lines.</summary>
    internal IReadOnlyCollection<string> LastLines => _last;

    /// <summary>What follows <c>==&gt; ERROR:</c>, and the lines of a check that failed.</summary>
    internal IReadOnlyList<string> Errors => _errors;

    /// <summary>Takes a piece of output.</summary>
    internal void Append(ReadOnlySpan<byte> bytes)
    {
        Interlocked.Exchange(ref _lastOutput, time.GetTimestamp());
        sink?.Invoke(bytes);
        while (bytes.IndexOf((byte)'\n') is >= 0 and var end)
        {
            Take(bytes[..end]);
            EndLine();
            bytes = bytes[(end + 1)..];
        }

        Take(bytes);
    }

    /// <summary>Ends the last line, which need not have ended itself.</summary>
    internal void Finish()
    {
        if (_line.Count > 0)
            EndLine();
    }

    /// <summary>Adds a line of our own.</summary>
    internal void Say(string text) => Append(Encoding.UTF8.GetBytes(text + "\n"));

    /// <summary>Forgets what was read of one makepkg run before the next begins.</summary>
    internal void BeginRun()
    {
        Finish();
        _errors.Clear();
        MakepkgStarted = null;
        Interlocked.Exchange(ref _lastOutput, time.GetTimestamp());
    }

    private void Take(ReadOnlySpan<byte> part)
    {
        var room = MaxLineBytes - _line.Count;
        _line.AddRange(part.Length > room ? part[..room] : part);
    }

    private void EndLine()
    {
        var text = Encoding.UTF8.GetString([.. _line]).TrimEnd('\r');
        _line.Clear();
        _last.Enqueue(text);
        if (_last.Count > KeptLines)
            _last.Dequeue();
        if (text == Marker)
            MakepkgStarted ??= time.GetTimestamp();
        foreach (var (start, phase) in Marks)
        {
            if (text.StartsWith(start, StringComparison.Ordinal))
                enter(phase);
        }

        const string Error = "==> ERROR: ";
        if (_errors.Count == KeptErrors)
            return;
        if (text.StartsWith(Error, StringComparison.Ordinal))
            _errors.Add(text[Error.Length..]);
        else if (text.StartsWith("    ", StringComparison.Ordinal)
            && (text.Contains(" ... FAILED", StringComparison.Ordinal)
                || text.Contains(" ... SIGNATURE NOT FOUND", StringComparison.Ordinal)
                || text.Contains(" ... SOURCE FILE NOT FOUND", StringComparison.Ordinal)
                || text.Contains(" ... NOT FOUND", StringComparison.Ordinal)))
            _errors.Add(text.Trim());
    }
}
