using System.Collections.Concurrent;
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
/// Reads PKGBUILDs by the real bash in a few sandboxes side by side, many in each, a subshell each. A PKGBUILD that
/// fails in company is read once more alone before it is called unreadable, so that nobody is blamed for what a
/// neighbour did.
/// </summary>
public sealed class PkgbuildReader : IDisposable
{
    /// <summary>How directories begin in a work directory; the number of their process follows.</summary>
    internal const string RunPrefix = "read-";

    /// <summary>After reading, the next sandboxes are started a little later: who asked has something to do with what
    /// was read, and they would be in the way.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Counts for the whole process: readers share a work directory.</summary>
    private static int _runs;

    private readonly PkgbuildReaderSettings _settings;
    private readonly ReadingSandbox _sandbox;
    private readonly ReadingVerdict _verdict;
    private readonly ConcurrentQueue<Task<Room>> _waiting = new();
    private readonly ConcurrentQueue<Room> _used = new();
    private readonly ITimer _refill;
    private readonly Lock _gate = new();
    private bool _disposed;
    private long _read;

    /// <summary>Makes a reader, and deletes what readers that were killed left in the work directory.</summary>
    public PkgbuildReader(PkgbuildReaderSettings settings, TimeProvider time)
    {
        _settings = settings;
        _sandbox = new ReadingSandbox(settings, time);
        _verdict = new ReadingVerdict(settings);
        _refill = time.CreateTimer(_ => Refill(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Directory.CreateDirectory(settings.WorkDirectory);
        foreach (var left in Directory.EnumerateDirectories(settings.WorkDirectory, RunPrefix + "*"))
        {
            var owner = Path.GetFileName(left).Split('-')[1];
            if (!int.TryParse(owner, CultureInfo.InvariantCulture, out var process) || !LibC.ProcessExists(process))
                Directory.Delete(left, recursive: true);
        }
    }

    /// <summary>How many PKGBUILDs bash has read since the start.</summary>
    public long Read => Interlocked.Read(ref _read);

    /// <summary>Ends the sandboxes that wait.</summary>
    public void Dispose()
    {
        lock (_gate)
            _disposed = true;
        _refill.Dispose();
        while (_waiting.TryDequeue(out var kept))
        {
            Task.WaitAny(kept);
            // One that could not be started has nothing to end; who would have read with it would have been told.
            if (kept.IsCompletedSuccessfully)
                Close(kept.Result);
        }

        CloseUsed();
    }

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

        var fit = Enumerable.Range(0, inputs.Count).Where(index => readings[index] is null).ToList();
        var share = (fit.Count + _settings.SideBySide - 1) / _settings.SideBySide;
        await Parallel.ForEachAsync(
            fit.Chunk(Math.Clamp(share, 1, _settings.BatchSize)),
            new ParallelOptions
            {
                MaxDegreeOfParallelism = _settings.SideBySide,
                CancellationToken = cancellationToken,
            },
            async (batch, token) => await ReadBatchAsync(inputs, batch, readings, token));
        if (fit.Count > 0 && _settings.Waiting > TimeSpan.Zero)
            _refill.Change(Pause, Timeout.InfiniteTimeSpan);
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
            Interlocked.Add(ref _read, batch.Length);
            if (batch is [var only])
            {
                var place = Place(inputs, only);
                readings[only] = _verdict.Of(await room.Sandbox.ReadAsync([place], cancellationToken), place);
                return;
            }

            var alone = await ReadTogetherAsync(inputs, batch, room, readings, cancellationToken);
            foreach (var index in alone)
                readings[index] = await ReadAloneAsync(Place(inputs, index), room, cancellationToken);
        }
        finally
        {
            if (_settings.Waiting > TimeSpan.Zero)
                _used.Enqueue(room);
            else
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
        CloseUsed();
        var run = Interlocked.Increment(ref _runs);
        var directory = Path.Combine(_settings.WorkDirectory, $"{RunPrefix}{Environment.ProcessId}-{run}");
        var (shell, trees) = (Path.Combine(directory, "shell"), Path.Combine(directory, "trees"));
        Directory.CreateDirectory(trees);
        ReadingSandbox.StageShell(shell);
        return new Room(directory, _sandbox.Start(shell, trees));
    }

    private static void Close(Room room)
    {
        room.Sandbox.Dispose();
        Directory.Delete(room.Directory, recursive: true);
    }

    private void CloseUsed()
    {
        while (_used.TryDequeue(out var room))
            Close(room);
    }

    private async Task<Room?> TakeWaitingAsync()
    {
        while (_waiting.TryDequeue(out var kept))
        {
            var room = await kept;
            if (room.Sandbox.MayRead)
                return room;
            Close(room);
        }

        return null;
    }

    /// <summary>Starts the sandboxes of the next time.</summary>
    private void Refill()
    {
        lock (_gate)
        {
            while (!_disposed && _waiting.Count < _settings.SideBySide)
                _waiting.Enqueue(Task.Run(Open));
        }
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
            using var another = left.Length == batch.Length ? null : _sandbox.Start(room.Shell, room.Trees);
            var answer = await (another ?? room.Sandbox).ReadAsync(places, cancellationToken);
            var frames = answer.Frames;
            for (var i = 0; i < frames.Length; i++)
            {
                var reading = _verdict.Of(frames[i], places[i]);
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
        using var standing = _sandbox.Start(room.Shell, own);
        return _verdict.Of(await standing.ReadAsync([name], cancellationToken), name);
    }

    /// <summary>What makepkg, or we, refuse before bash sees it.</summary>
    private string? Unfit(SourceTree tree)
    {
        if (tree.Find("PKGBUILD") is not { } pkgbuild)
            return "It holds no PKGBUILD.";
        if (pkgbuild.Kind == TreeEntryKind.Symlink)
            return "Its PKGBUILD is a symbolic link; only a file is read.";
        if (pkgbuild.Content.Length > _settings.MaxPkgbuildBytes)
            return $"Its PKGBUILD has {pkgbuild.Content.Length} bytes; at most {_settings.MaxPkgbuildBytes} are read.";
        if (pkgbuild.Content.Span.Contains((byte)0))
            return "Its PKGBUILD is binary; it holds NUL bytes.";
        return pkgbuild.Content.Span.Contains((byte)'\r')
            ? "Its PKGBUILD contains CRLF characters and cannot be sourced."
            : null;
    }

    private static string Place(IReadOnlyList<PkgbuildInput> inputs, int index) =>
        $"{index}/{PlaceOf(inputs[index].Name)}";

    /// <summary>The name of a package's directory, in characters that mean nothing.</summary>
    internal static string PlaceOf(string name)
    {
        name = new string([.. name.Select(
            character => char.IsAsciiLetterOrDigit(character) || "+_.@-".Contains(character) ? character : '_')]);
        return name is "" or "." or ".." ? "package" : name;
    }
}
