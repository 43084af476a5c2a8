namespace Quarters.Linux.Processes;

/// <summary>Where a piece of output came from.</summary>
public enum OutputStream
{
    /// <summary>Standard output (and standard error, where the two are merged).</summary>
    Output,

    /// <summary>Standard error.</summary>
    Error,
}

/// <summary>Takes output as it comes. Called on the thread that watches the process: it must not wait for long.
/// What it throws ends the process and comes out of the run.</summary>
public delegate void OutputSink(OutputStream stream, ReadOnlySpan<byte> bytes);

/// <summary>What to run, and the limits within which.</summary>
public sealed record ProcessSpec
{
    /// <summary>The program: a path, or a name that is looked up in <c>PATH</c>.</summary>
    public required string FileName { get; init; }

    /// <summary>Its arguments, each passed as it is; no shell reads them.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Where it starts; null is where this process is.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>When not null, the whole environment; null passes on that of this process.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>What it reads on standard input; empty is <c>/dev/null</c>.</summary>
    public ReadOnlyMemory<byte> Input { get; init; }

    /// <summary>When not null, what it reads on standard input instead of <see cref="Input"/>, once that is known;
    /// until then it waits for it.</summary>
    public Task<ReadOnlyMemory<byte>>? InputLater { get; init; }

    /// <summary>How long it may run before its group is killed; null is without limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>How much it may write to both streams together, in bytes, before its group is killed.</summary>
    public long MaxOutputBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>How much of each stream, from its beginning, is kept for the result, in bytes; null keeps all.
    /// What is dropped still reaches <see cref="OnOutput"/>.</summary>
    public long? KeepOutputBytes { get; init; }

    /// <summary>Takes the output while it comes; null when nobody watches.</summary>
    public OutputSink? OnOutput { get; init; }

    /// <summary>Told the process's number once it runs; null when nobody wants to know.</summary>
    public Action<int>? OnStarted { get; init; }

    /// <summary>True sends standard error where standard output goes, in the order written.</summary>
    public bool MergeStandardError { get; init; }

    /// <summary>True has the kernel kill the program when this process dies, kill -9 included.
    /// It reaches the program itself only; what that starts needs a PID namespace to die with it.</summary>
    public bool ParentDeathSignal { get; init; }
}
