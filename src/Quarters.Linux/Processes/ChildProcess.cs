using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Quarters.Linux.Processes;

/// <summary>
/// One running program and the descriptors by which it is watched: its pipes, a pidfd that tells its end, and an event
/// that tells of cancellation. Everything happens in one loop on one thread, so that nothing can race.
/// </summary>
internal sealed unsafe class ChildProcess : IDisposable
{
    private const long PidfdOpen = 434; // the number is the same on all architectures
    private const int CloseOnExec = 0x80000;
    private const int PipeChunkBytes = 4096; // POLLOUT promises room for this much (PIPE_BUF)
    private const int ReadChunkBytes = 64 * 1024;

    // What the program left behind may hold its pipes open for ever; what it wrote itself is there at once.
    private static readonly TimeSpan DrainTime = TimeSpan.FromMilliseconds(300);

    private readonly ProcessSpec spec;
    private readonly bool inTerminal;
    private readonly byte[] chunk = new byte[ReadChunkBytes];
    private readonly MemoryStream output = new();
    private readonly MemoryStream error = new();
    private readonly long started = Stopwatch.GetTimestamp();
    private readonly int wake;
    private readonly Lock wakeGate = new();
    private readonly int process;
    private readonly int exitDescriptor;
    private int outputPipe = -1;
    private int errorPipe = -1;
    private int inputPipe = -1;
    private int inputWritten;
    private long totalOutput;
    private bool killed;
    private bool timedOut;
    private bool outputExceeded;
    private bool reaped;
    private bool wakeClosed;

    private ChildProcess(ProcessSpec spec, bool inTerminal)
    {
        this.spec = spec;
        this.inTerminal = inTerminal;
        wake = LibC.Native.EventDescriptor(0, CloseOnExec);
        if (wake < 0)
            throw Errno.LastFailed("An event descriptor could not be made");
        try
        {
            process = inTerminal ? Spawn.Start(spec, -1, -1, -1, ownSession: false) : StartWithPipes();
        }
        catch
        {
            ClosePipes();
            Close(wake);
            throw;
        }

        exitDescriptor = (int)LibC.Native.SystemCall(PidfdOpen, process, 0);
        if (exitDescriptor >= 0)
            return;
        var failure = Errno.LastFailed("The end of a process cannot be watched (pidfd_open needs Linux 5.3)");
        Kill();
        Reap();
        ClosePipes();
        Close(wake);
        throw failure;
    }

    /// <summary>True when the run ended because it was cancelled.</summary>
    internal bool Cancelled { get; private set; }

    internal static ChildProcess Start(ProcessSpec spec, bool inTerminal) => new(spec, inTerminal);

    /// <summary>Stays with the program until it has ended and its output is read.</summary>
    internal ProcessResult Watch(CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.Register(Wake);
        try
        {
            spec.InputLater?.GetAwaiter().OnCompleted(WakeIfWatched);
            spec.OnStarted?.Invoke(process);
            while (!HasExited())
                Step(cancellationToken);
            // Before the leader is reaped its number cannot be another's: so the rest of its group dies first.
            Kill();
            var ended = Reap();
            var elapsed = Stopwatch.GetElapsedTime(started);
            Drain();
            return Result(ended, elapsed);
        }
        finally
        {
            if (!reaped)
            {
                Kill();
                Reap();
            }
        }
    }

    public void Dispose()
    {
        ClosePipes();
        Close(exitDescriptor);
        lock (wakeGate)
        {
            Close(wake);
            wakeClosed = true;
        }
    }

    private int StartWithPipes()
    {
        var (outputRead, outputWrite) = Pipe();
        outputPipe = outputRead;
        var childError = outputWrite;
        var childInput = -1;
        try
        {
            if (!spec.MergeStandardError)
                (errorPipe, childError) = Pipe();
            if (!spec.Input.IsEmpty || spec.InputLater is not null)
                (childInput, inputPipe) = Pipe();
            return Spawn.Start(spec, childInput, outputWrite, childError, ownSession: true);
        }
        finally
        {
            Close(outputWrite);
            if (childError != outputWrite)
                Close(childError);
            Close(childInput);
        }
    }

    /// <summary>Waits for one thing to happen and deals with it.</summary>
    private void Step(CancellationToken cancellationToken)
    {
        var entries = stackalloc PollEntry[5];
        entries[0] = new PollEntry { Descriptor = exitDescriptor, Events = PollEntry.In };
        entries[1] = new PollEntry { Descriptor = wake, Events = PollEntry.In };
        // poll(2) ignores negative descriptors, which is what closed ones are here.
        entries[2] = new PollEntry { Descriptor = outputPipe, Events = PollEntry.In };
        entries[3] = new PollEntry { Descriptor = errorPipe, Events = PollEntry.In };
        entries[4] = new PollEntry { Descriptor = Input is null ? -1 : inputPipe, Events = PollEntry.Out };
        if (!Poll(entries, 5, killed ? null : spec.Timeout))
        {
            timedOut = true;
            Kill();
            return;
        }

        if (entries[1].Returned != 0)
            DrainWake();
        if (entries[1].Returned != 0 && cancellationToken.IsCancellationRequested)
        {
            Cancelled = true;
            Kill();
        }

        Read(entries[2].Returned, ref outputPipe, OutputStream.Output, output);
        Read(entries[3].Returned, ref errorPipe, OutputStream.Error, error);
        if (entries[4].Returned != 0)
            Feed();
    }

    private bool HasExited()
    {
        var entry = new PollEntry { Descriptor = exitDescriptor, Events = PollEntry.In };
        return LibC.Native.Poll(&entry, 1, 0) > 0;
    }

    /// <summary>Reads what is left in the pipes until they close or <see cref="DrainTime"/> is over.</summary>
    private void Drain()
    {
        var until = Stopwatch.GetElapsedTime(started) + DrainTime;
        var entries = stackalloc PollEntry[2];
        while (outputPipe >= 0 || errorPipe >= 0)
        {
            entries[0] = new PollEntry { Descriptor = outputPipe, Events = PollEntry.In };
            entries[1] = new PollEntry { Descriptor = errorPipe, Events = PollEntry.In };
            if (outputExceeded || !Poll(entries, 2, until))
                return;
            Read(entries[0].Returned, ref outputPipe, OutputStream.Output, output);
            Read(entries[1].Returned, ref errorPipe, OutputStream.Error, error);
        }
    }

    /// <returns>False when the time, counted from the start of the process, was over.</returns>
    private bool Poll(PollEntry* entries, nuint count, TimeSpan? until)
    {
        while (true)
        {
            var milliseconds = -1;
            if (until is { } limit)
            {
                var left = limit - Stopwatch.GetElapsedTime(started);
                if (left <= TimeSpan.Zero)
                    return false;
                milliseconds = (int)Math.Min(int.MaxValue, Math.Ceiling(left.TotalMilliseconds));
            }

            var ready = LibC.Native.Poll(entries, count, milliseconds);
            if (ready > 0)
                return true;
            if (ready < 0 && Marshal.GetLastPInvokeError() != Errno.Interrupted)
                throw Errno.LastFailed($"{spec.FileName} could not be watched");
        }
    }

    private void Read(short returned, ref int pipe, OutputStream stream, MemoryStream kept)
    {
        if (returned == 0 || pipe < 0)
            return;
        nint count;
        fixed (byte* buffer = chunk)
            count = LibC.Native.Read(pipe, buffer, ReadChunkBytes);
        if (count < 0 && Marshal.GetLastPInvokeError() == Errno.Interrupted)
            return;
        if (count < 0)
            throw Errno.LastFailed($"The output of {spec.FileName} could not be read");
        if (count == 0)
        {
            Close(pipe);
            pipe = -1;
            return;
        }

        var allowed = (int)Math.Clamp(spec.MaxOutputBytes - totalOutput, 0, count);
        totalOutput += count;
        var bytes = chunk.AsSpan(0, allowed);
        var keep = spec.KeepOutputBytes is { } limit ? Math.Min(allowed, limit - kept.Length) : allowed;
        kept.Write(bytes[..(int)Math.Max(0, keep)]);
        if (!bytes.IsEmpty)
            spec.OnOutput?.Invoke(stream, bytes);
        if (totalOutput <= spec.MaxOutputBytes)
            return;
        outputExceeded = true;
        Close(pipe);
        pipe = -1;
        Kill();
    }

    /// <summary>What is to be written; null as long as it is not known.</summary>
    private ReadOnlyMemory<byte>? Input => spec.InputLater is not { } later ? spec.Input
        : later.IsCompletedSuccessfully ? later.Result
        : default(ReadOnlyMemory<byte>?);

    private void Feed()
    {
        var input = Input!.Value;
        var left = input.Span[inputWritten..];
        if (left.Length > PipeChunkBytes)
            left = left[..PipeChunkBytes];
        nint count;
        fixed (byte* buffer = left)
            count = LibC.Native.Write(inputPipe, buffer, (nuint)left.Length);
        var failure = count < 0 ? Marshal.GetLastPInvokeError() : 0;
        if (failure == Errno.Interrupted)
            return;
        // A program may end, or close its input, before it has read everything: that is its right.
        if (failure is not 0 and not Errno.BrokenPipe)
            throw Errno.Failed($"The input of {spec.FileName} could not be written", failure);
        inputWritten += (int)Math.Max(0, count);
        if (failure == 0 && inputWritten < input.Length)
            return;
        Close(inputPipe);
        inputPipe = -1;
    }

    private void Kill()
    {
        killed = true;
        if (!reaped)
            LibC.Native.Kill(inTerminal ? process : -process, LibC.SignalKill);
    }

    private Ended Reap()
    {
        int status;
        var usage = stackalloc long[18]; // struct rusage: two timevals, then 14 longs, ru_maxrss (KiB) the first
        while (LibC.Native.Wait(process, &status, 0, usage) < 0)
        {
            if (Marshal.GetLastPInvokeError() != Errno.Interrupted)
                throw Errno.LastFailed($"The end of {spec.FileName} could not be read");
        }

        reaped = true;
        var cpu = TimeSpan.FromSeconds(usage[0] + usage[2]) + TimeSpan.FromMicroseconds(usage[1] + usage[3]);
        var signal = status & 0x7F;
        return new Ended(signal == 0 ? (status >> 8) & 0xFF : 128 + signal, signal, cpu, usage[4] * 1024);
    }

    private ProcessResult Result(Ended ended, TimeSpan elapsed) => new()
    {
        ExitCode = ended.ExitCode,
        Signal = ended.Signal == 0 ? null : ended.Signal,
        OutputBytes = output.GetBuffer().AsMemory(0, (int)output.Length),
        ErrorBytes = error.GetBuffer().AsMemory(0, (int)error.Length),
        TimedOut = timedOut,
        OutputExceeded = outputExceeded,
        Elapsed = elapsed,
        CpuTime = ended.CpuTime,
        PeakMemoryBytes = ended.PeakMemoryBytes,
    };

    private void Wake()
    {
        var one = 1L;
        LibC.Native.Write(wake, (byte*)&one, sizeof(long));
    }

    /// <summary>Input may come when all is over, and the descriptor's number another's.</summary>
    private void WakeIfWatched()
    {
        lock (wakeGate)
        {
            if (!wakeClosed)
                Wake();
        }
    }

    private void DrainWake()
    {
        var count = 0L;
        LibC.Native.Read(wake, (byte*)&count, sizeof(long));
    }

    private void ClosePipes()
    {
        Close(outputPipe);
        Close(errorPipe);
        Close(inputPipe);
        outputPipe = errorPipe = inputPipe = -1;
    }

    private static (int Read, int Write) Pipe()
    {
        var ends = stackalloc int[2];
        return LibC.Native.Pipe(ends, CloseOnExec) == 0
            ? (ends[0], ends[1])
            : throw Errno.LastFailed("A pipe could not be made");
    }

    private static void Close(int descriptor)
    {
        if (descriptor >= 0)
            LibC.Native.Close(descriptor);
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Ended(int ExitCode, int Signal, TimeSpan CpuTime, long PeakMemoryBytes);
}
