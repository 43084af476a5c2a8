using System.Collections.Immutable;
using System.Globalization;
using Quarters.Alpm;
using Quarters.Core.Sources;
using Quarters.Linux;

namespace Quarters.Sources.Pkgbuilds;

/// <summary>One PKGBUILD to be read.</summary>
/// <param name="Name">The name of its directory, which a PKGBUILD can see.</param>
/// <param name="Tree">Its directory.</param>
public sealed record PkgbuildInput(string Name, SourceTree Tree);

/// <summary>What came of reading one PKGBUILD: exactly one of the two is not null.</summary>
/// <param name="Info">What it says.</param>
/// <param name="Problem">Why it could not be read, in at most a few lines.</param>
public sealed record PkgbuildReading(SrcInfo? Info, string? Problem);

/// <summary>
/// Reads PKGBUILDs by the real bash in a sandbox, many in one, a subshell each. A PKGBUILD that fails in company is
/// read once more alone before it is called unreadable, so that nobody is blamed for what a neighbour did.
/// </summary>
public sealed class PkgbuildReader
{
    private const int MaxProblemLines = 6;
    private const int MaxProblemLength = 1000;
    private const int SignalBase = 128;
    private const int SignalCpuTime = SignalBase + 24;
    private const int SignalFileSize = SignalBase + 25;
    private const string RunPrefix = "read-";

    private readonly PkgbuildReaderSettings settings;
    private readonly ReadingSandbox sandbox;
    private Task<Room>? waiting;
    private int runs;
    private long read;

    /// <summary>Makes a reader, and deletes what readers that were killed left in the work directory.</summary>
    public PkgbuildReader(PkgbuildReaderSettings settings, TimeProvider time)
    {
        this.settings = settings;
        sandbox = new ReadingSandbox(settings, time);
        Directory.CreateDirectory(settings.WorkDirectory);
        foreach (var left in Directory.EnumerateDirectories(settings.WorkDirectory, RunPrefix + "*"))
        {
            var owner = Path.GetFileName(left).Split('-')[1];
            if (!int.TryParse(owner, CultureInfo.InvariantCulture, out var process) || !LibC.ProcessExists(process))
                Directory.Delete(left, recursive: true);
        }
    }

    /// <summary>How many PKGBUILDs bash has read since the start.</summary>
    public long Read => Interlocked.Read(ref read);

    /// <summary>Reads PKGBUILDs; the results stand in the order of the inputs.</summary>
    /// <exception cref="ReadingSandboxException">The sandbox could not be set up: no PKGBUILD's fault.</exception>
    /// <exception cref="IOException">The work directory could not be written.</exception>
    public async Task<ImmutableArray<PkgbuildReading>> ReadAsync(
        IReadOnlyList<PkgbuildInput> inputs, CancellationToken cancellationToken)
    {
        var readings = new PkgbuildReading?[inputs.Count];
        for (var i = 0; i < inputs.Count; i++)
        {
            if (Unfit(inputs[i].Tree) is { } problem)
                readings[i] = new PkgbuildReading(null, problem);
        }

        var fit = Enumerable.Range(0, inputs.Count).Where(index => readings[index] is null);
        foreach (var batch in fit.Chunk(settings.BatchSize))
        {
            await ReadBatchAsync(inputs, batch, readings, cancellationToken);
            KeepWaiting();
        }

        return [.. readings.Select(reading => reading!)];
    }

    private async Task ReadBatchAsync(
        IReadOnlyList<PkgbuildInput> inputs,
        int[] batch,
        PkgbuildReading?[] readings,
        CancellationToken cancellationToken)
    {
        var room = await TakeWaitingAsync() ?? Open();
        try
        {
            foreach (var index in batch)
                ReadingSandbox.Stage(inputs[index].Tree, Path.Combine(room.Trees, Place(inputs, index)));
            Interlocked.Add(ref read, batch.Length);
            if (batch is [var only])
            {
                var place = Place(inputs, only);
                readings[only] = Answer(await room.Sandbox.ReadAsync([place], cancellationToken), place);
                return;
            }

            var alone = await ReadTogetherAsync(inputs, batch, room, readings, cancellationToken);
            foreach (var index in alone)
                readings[index] = await ReadAloneAsync(Place(inputs, index), room, cancellationToken);
        }
        finally
        {
            Close(room);
        }
    }

    /// <summary>A directory to stage trees in, and a sandbox that will see them.</summary>
    private sealed record Room(string Directory, StandingSandbox Sandbox)
    {
        internal string Shell => Path.Combine(Directory, "shell");

        internal string Trees => Path.Combine(Directory, "trees");
    }

    private Room Open()
    {
        var run = Interlocked.Increment(ref runs);
        var directory = Path.Combine(settings.WorkDirectory, $"{RunPrefix}{Environment.ProcessId}-{run}");
        var (shell, trees) = (Path.Combine(directory, "shell"), Path.Combine(directory, "trees"));
        Directory.CreateDirectory(trees);
        ReadingSandbox.StageShell(shell);
        return new Room(directory, sandbox.Start(shell, trees));
    }

    private static void Close(Room room)
    {
        room.Sandbox.Dispose();
        Directory.Delete(room.Directory, recursive: true);
    }

    private async Task<Room?> TakeWaitingAsync()
    {
        if (Interlocked.Exchange(ref waiting, null) is not { } kept)
            return null;
        var room = await kept;
        if (room.Sandbox.MayRead)
            return room;
        Close(room);
        return null;
    }

    /// <summary>Starts the sandbox of the next time beside whatever comes now.</summary>
    private void KeepWaiting()
    {
        if (settings.Waiting <= TimeSpan.Zero || waiting is not null)
            return;
        var next = new Task<Room>(Open);
        if (Interlocked.CompareExchange(ref waiting, next, null) is null)
            next.Start(TaskScheduler.Default);
    }

    /// <summary>Reads until every member has an answer, or is among those returned, which need a sandbox of their
    /// own.</summary>
    private async Task<List<int>> ReadTogetherAsync(
        IReadOnlyList<PkgbuildInput> inputs,
        int[] batch,
        Room room,
        PkgbuildReading?[] readings,
        CancellationToken cancellationToken)
    {
        var alone = new List<int>();
        var left = batch.AsMemory();
        while (!left.IsEmpty)
        {
            var places = left.ToArray().Select(index => Place(inputs, index)).ToList();
            using var another = left.Length == batch.Length ? null : sandbox.Start(room.Shell, room.Trees);
            var answer = await (another ?? room.Sandbox).ReadAsync(places, cancellationToken);
            var frames = answer.Frames;
            for (var i = 0; i < frames.Length; i++)
            {
                var reading = Judge(frames[i], places[i]);
                if (reading.Info is null)
                    alone.Add(left.Span[i]);
                else
                    readings[left.Span[i]] = reading;
            }

            // Where it stopped is the one to be suspected, unless the frames broke: then it may have been any before.
            left = left[frames.Length..];
            if (left.IsEmpty)
                break;
            alone.Add(left.Span[0]);
            left = left[1..];
        }

        return alone;
    }

    private async Task<PkgbuildReading> ReadAloneAsync(string place, Room room, CancellationToken cancellationToken)
    {
        // Only its own directory is there, so that its neighbours' files are as unknown to it as their memory.
        var own = Path.Combine(room.Trees, Path.GetDirectoryName(place)!);
        var name = Path.GetFileName(place);
        using var standing = sandbox.Start(room.Shell, own);
        return Answer(await standing.ReadAsync([name], cancellationToken), name);
    }

    private PkgbuildReading Answer(ReadingFrames answer, string place) => answer.Frames is [var frame]
        ? Judge(frame, place)
        : new PkgbuildReading(
            null, $"Reading it did not come to an end in {settings.WallTime.TotalSeconds} s, or it killed the shell.");

    private PkgbuildReading Judge(ReadingFrame frame, string place)
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
            > SignalBase => $"The shell that read it was ended by signal {frame.Status - SignalBase}.",
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

    /// <summary>What makepkg, or we, refuse before bash sees it.</summary>
    private string? Unfit(SourceTree tree)
    {
        if (tree.Find("PKGBUILD") is not { } pkgbuild)
            return "It holds no PKGBUILD.";
        if (pkgbuild.Kind == TreeEntryKind.Symlink)
            return "Its PKGBUILD is a symbolic link; only a file is read.";
        if (pkgbuild.Content.Length > settings.MaxPkgbuildBytes)
            return $"Its PKGBUILD has {pkgbuild.Content.Length} bytes; at most {settings.MaxPkgbuildBytes} are read.";
        if (pkgbuild.Content.Span.Contains((byte)0))
            return "Its PKGBUILD is binary; it holds NUL bytes.";
        return pkgbuild.Content.Span.Contains((byte)'\r')
            ? "Its PKGBUILD contains CRLF characters and cannot be sourced."
            : null;
    }

    private static string Place(IReadOnlyList<PkgbuildInput> inputs, int index)
    {
        var name = new string([.. inputs[index].Name.Select(
            character => char.IsAsciiLetterOrDigit(character) || "+_.@-".Contains(character) ? character : '_')]);
        return $"{index}/{(name is "" or "." or ".." ? "package" : name)}";
    }
}
