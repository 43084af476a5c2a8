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

    private readonly ProcessSpec _spec;
    private readonly bool _inTerminal;
    private readonly byte[] _chunk = new byte[ReadChunkBytes];
    private readonly MemoryStream _output = new();
    private readonly MemoryStream _error = new();
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly int _wake;
    private readonly Lock _wakeGate = new();
    private readonly int _process;
    private readonly int _exitDescriptor;
    private int _outputPipe = -1;
    private int _errorPipe = -1;
    private int _inputPipe = -1;
    private int _inputWritten;
    private long _totalOutput;
    private bool _killed;
    private bool _timedOut;
    private bool _outputExceeded;
    private bool _reaped;
    private bool _wakeClosed;

    private ChildProcess(ProcessSpec spec, bool inTerminal)
    {
        _spec = spec;
        _inTerminal = inTerminal;
        _wake = LibC.Native.EventDescriptor(0, CloseOnExec);
        if (_wake < 0)
            throw Errno.LastFailed("An event descriptor could not be made");
        try
        {
            _process = inTerminal ? Spawn.Start(spec, -1, -1, -1, ownSession: false) : StartWithPipes();
        }
        catch
        {
            ClosePipes();
            Close(_wake);
            throw;
        }

        _exitDescriptor = (int)LibC.Native.SystemCall(PidfdOpen, _process, 0);
        if (_exitDescriptor >= 0)
            return;
        var failure = Errno.LastFailed("The end of a process cannot be watched (pidfd_open needs Linux 5.3)");
        Kill();
        Reap();
        ClosePipes();
        Close(_wake);
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
            _spec.InputLater?.GetAwaiter().OnCompleted(WakeIfWatched);
            _spec.OnStarted?.Invoke(_process);
            while (!HasExited())
                Step(cancellationToken);
            // Before the leader is reaped its number cannot be another's: so the rest of its group dies first.
            Kill();
            var ended = Reap();
            var elapsed = Stopwatch.GetElapsedTime(_started);
            Drain();
            return Result(ended, elapsed);
        }
        finally
        {
            if (!_reaped)
            {
                Kill();
                Reap();
            }
        }
    }

    public void Dispose()
    {
        ClosePipes();
        Close(_exitDescriptor);
        lock (_wakeGate)
        {
            Close(_wake);
            _wakeClosed = true;
        }
    }

    private int StartWithPipes()
    {
        var (outputRead, outputWrite) = Pipe();
        _outputPipe = outputRead;
        var childError = outputWrite;
        var childInput = -1;
        try
        {
            if (!_spec.MergeStandardError)
                (_errorPipe, childError) = Pipe();
            if (!_spec.Input.IsEmpty || _spec.InputLater is not null)
                (childInput, _inputPipe) = Pipe();
            return Spawn.Start(_spec, childInput, outputWrite, childError, ownSession: true);
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
        entries[0] = new PollEntry { Descriptor = _exitDescriptor, Events = PollEntry.In };
        entries[1] = new PollEntry { Descriptor = _wake, Events = PollEntry.In };
        // poll(2) ignores negative descriptors, which is what closed ones are here.
        entries[2] = new PollEntry { Descriptor = _outputPipe, Events = PollEntry.In };
        entries[3] = new PollEntry { Descriptor = _errorPipe, Events = PollEntry.In };
        entries[4] = new PollEntry { Descriptor = Input is null ? -1 : _inputPipe, Events = PollEntry.Out };
        if (!Poll(entries, 5, _killed ? null : _spec.Timeout))
        {
            _timedOut = true;
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

        Read(entries[2].Returned, ref _outputPipe, OutputStream.Output, _output);
        Read(entries[3].Returned, ref _errorPipe, OutputStream.Error, _error);
        if (entries[4].Returned != 0)
            Feed();
    }

    private bool HasExited()
    {
        var entry = new PollEntry { Descriptor = _exitDescriptor, Events = PollEntry.In };
        return LibC.Native.Poll(&entry, 1, 0) > 0;
    }

    /// <summary>Reads what is left in the pipes until they close or <see cref="DrainTime"/> is over.</summary>
    private void Drain()
    {
        var until = Stopwatch.GetElapsedTime(_started) + DrainTime;
        var entries = stackalloc PollEntry[2];
        while (_outputPipe >= 0 || _errorPipe >= 0)
        {
            entries[0] = new PollEntry { Descriptor = _outputPipe, Events = PollEntry.In };
            entries[1] = new PollEntry { Descriptor = _errorPipe, Events = PollEntry.In };
            if (_outputExceeded || !Poll(entries, 2, until))
                return;
            Read(entries[0].Returned, ref _outputPipe, OutputStream.Output, _output);
            Read(entries[1].Returned, ref _errorPipe, OutputStream.Error, _error);
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
                var left = limit - Stopwatch.GetElapsedTime(_started);
                if (left <= TimeSpan.Zero)
                    return false;
                milliseconds = (int)Math.Min(int.MaxValue, Math.Ceiling(left.TotalMilliseconds));
            }

            var ready = LibC.Native.Poll(entries, count, milliseconds);
            if (ready > 0)
                return true;
            if (ready < 0 && Marshal.GetLastPInvokeError() != Errno.Interrupted)
                throw Errno.LastFailed($"{_spec.FileName} could not be watched");
        }
    }

    private void Read(short returned, ref int pipe, OutputStream stream, MemoryStream kept)
    {
        if (returned == 0 || pipe < 0)
            return;
        nint count;
        fixed (byte* buffer = _chunk)
            count = LibC.Native.Read(pipe, buffer, ReadChunkBytes);
        if (count < 0 && Marshal.GetLastPInvokeError() == Errno.Interrupted)
            return;
        if (count < 0)
            throw Errno.LastFailed($"The output of {_spec.FileName} could not be read");
        if (count == 0)
        {
            Close(pipe);
            pipe = -1;
            return;
        }

        var allowed = (int)Math.Clamp(_spec.MaxOutputBytes - _totalOutput, 0, count);
        _totalOutput += count;
        var bytes = _chunk.AsSpan(0, allowed);
        var keep = _spec.KeepOutputBytes is { } limit ? Math.Min(allowed, limit - kept.Length) : allowed;
        kept.Write(bytes[..(int)Math.Max(0, keep)]);
        if (!bytes.IsEmpty)
            _spec.OnOutput?.Invoke(stream, bytes);
        if (_totalOutput <= _spec.MaxOutputBytes)
            return;
        _outputExceeded = true;
        Close(pipe);
        pipe = -1;
        Kill();
    }

    /// <summary>What is to be written; null as long as it is not known.</summary>
    private ReadOnlyMemory<byte>? Input => _spec.InputLater is not { } later ? _spec.Input
        : later.IsCompletedSuccessfully ? later.Result
        : default(ReadOnlyMemory<byte>?);

    private void Feed()
    {
        var input = Input!.Value;
        var left = input.Span[_inputWritten..];
        if (left.Length > PipeChunkBytes)
            left = left[..PipeChunkBytes];
        nint count;
        fixed (byte* buffer = left)
            count = LibC.Native.Write(_inputPipe, buffer, (nuint)left.Length);
        var failure = count < 0 ? Marshal.GetLastPInvokeError() : 0;
        if (failure == Errno.Interrupted)
            return;
        // A program may end, or close its input, before it has read everything: that is its right.
        if (failure is not 0 and not Errno.BrokenPipe)
            throw Errno.Failed($"The input of {_spec.FileName} could not be written", failure);
        _inputWritten += (int)Math.Max(0, count);
        if (failure == 0 && _inputWritten < input.Length)
            return;
        Close(_inputPipe);
        _inputPipe = -1;
    }

    private void Kill()
    {
        _killed = true;
        if (!_reaped)
            LibC.Native.Kill(_inTerminal ? _process : -_process, LibC.SignalKill);
    }

    private Ended Reap()
    {
        int status;
        var usage = stackalloc long[18]; // struct rusage: two timevals, then 14 longs, ru_maxrss (KiB) the first
        while (LibC.Native.Wait(_process, &status, 0, usage) < 0)
        {
            if (Marshal.GetLastPInvokeError() != Errno.Interrupted)
                throw Errno.LastFailed($"The end of {_spec.FileName} could not be read");
        }

        _reaped = true;
        var cpu = TimeSpan.FromSeconds(usage[0] + usage[2]) + TimeSpan.FromMicroseconds(usage[1] + usage[3]);
        var signal = status & 0x7F;
        return new Ended(signal == 0 ? (status >> 8) & 0xFF : 128 + signal, signal, cpu, usage[4] * 1024);
    }

    private ProcessResult Result(Ended ended, TimeSpan elapsed) => new()
    {
        ExitCode = ended.ExitCode,
        Signal = ended.Signal == 0 ? null : ended.Signal,
        OutputBytes = _output.GetBuffer().AsMemory(0, (int)_output.Length),
        ErrorBytes = _error.GetBuffer().AsMemory(0, (int)_error.Length),
        TimedOut = _timedOut,
        OutputExceeded = _outputExceeded,
        Elapsed = elapsed,
        CpuTime = ended.CpuTime,
        PeakMemoryBytes = ended.PeakMemoryBytes,
    };

    private void Wake()
    {
        var one = 1L;
        LibC.Native.Write(_wake, (byte*)&one, sizeof(long));
    }

    /// <summary>Input may come when all is over, and the descriptor's number another's.</summary>
    private void WakeIfWatched()
    {
        lock (_wakeGate)
        {
            if (!_wakeClosed)
                Wake();
        }
    }

    private void DrainWake()
    {
        var count = 0L;
        LibC.Native.Read(_wake, (byte*)&count, sizeof(long));
    }

    private void ClosePipes()
    {
        Close(_outputPipe);
        Close(_errorPipe);
        Close(_inputPipe);
        _outputPipe = _errorPipe = _inputPipe = -1;
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
