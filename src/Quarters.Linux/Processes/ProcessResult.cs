using System.Text;

namespace Quarters.Linux.Processes;

/// <summary>How a process ended and what it cost.</summary>
public sealed record ProcessResult
{
    /// <summary>The exit code; 128 plus the signal when a signal ended it, as shells count.</summary>
    public required int ExitCode { get; init; }

    /// <summary>The signal that ended it, or null when it exited by itself.</summary>
    public int? Signal { get; init; }

    /// <summary>Standard output, as far as it was kept.</summary>
    public required ReadOnlyMemory<byte> OutputBytes { get; init; }

    /// <summary>Standard error, as far as it was kept; empty when merged.</summary>
    public required ReadOnlyMemory<byte> ErrorBytes { get; init; }

    /// <summary>True when it was killed because its time was over.</summary>
    public bool TimedOut { get; init; }

    /// <summary>True when it was killed because it wrote more than it may.</summary>
    public bool OutputExceeded { get; init; }

    /// <summary>From start to end.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>User and system time of the process and of those descendants that were waited for.</summary>
    public required TimeSpan CpuTime { get; init; }

    /// <summary>The largest resident size of any one of them, in bytes. Linux counts the moment before exec too, so it
    /// is never less than the size of the process that started it.</summary>
    public required long PeakMemoryBytes { get; init; }

    /// <summary>True when it exited with 0 within its limits.</summary>
    public bool Succeeded => ExitCode == 0 && !TimedOut && !OutputExceeded;

    /// <summary>Standard output as UTF-8; bytes that are not become replacement characters.</summary>
    public string StandardOutput => Encoding.UTF8.GetString(OutputBytes.Span);

    /// <summary>Standard error as UTF-8; bytes that are not become replacement characters.</summary>
    public string StandardError => Encoding.UTF8.GetString(ErrorBytes.Span);

    /// <summary>How it ended, to follow "PROGRAM …" in a sentence: <c>exited with code 3</c>.</summary>
    public string Ending => this switch
    {
        { TimedOut: true } => $"was killed after {Elapsed.TotalSeconds:0.0} s because its time was over",
        { OutputExceeded: true } => "was killed because it wrote more output than it may",
        { Signal: { } signal } => $"was ended by signal {signal}",
        _ => $"exited with code {ExitCode}",
    };
}

/// <summary>A program that could not be started at all: missing, not executable, or no process could be made.</summary>
public sealed class ProcessStartException(string message) : IOException(message);
