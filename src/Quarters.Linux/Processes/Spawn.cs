using System.Collections;
using System.Runtime.InteropServices;
using System.Text;

namespace Quarters.Linux.Processes;

/// <summary>
/// Starts a program by <c>posix_spawnp</c>: no code of ours runs between fork and exec, which in a process with several
/// threads is the only safe way. Signals are set back to their defaults, because .NET ignores SIGPIPE and a program
/// would inherit that.
/// </summary>
internal static unsafe class Spawn
{
    private const short SetSignalDefaults = 0x04;
    private const short SetSignalMask = 0x08;
    private const short SetSession = 0x80;

    // Of glibc: posix_spawnattr_t has 336 bytes, posix_spawn_file_actions_t 80, sigset_t 128; musl's are no larger.
    private const int AttributesBytes = 1024;
    private const int ActionsBytes = 1024;
    private const int SignalSetBytes = 128;

    /// <param name="spec">What to start.</param>
    /// <param name="input">The child's standard input; -1 is <c>/dev/null</c>.</param>
    /// <param name="output">The child's standard output; -1 leaves all three streams as they are.</param>
    /// <param name="error">The child's standard error.</param>
    /// <param name="ownSession">True starts it in a session of its own.</param>
    internal static int Start(ProcessSpec spec, int input, int output, int error, bool ownSession)
    {
        var attributes = stackalloc byte[AttributesBytes];
        var actions = stackalloc byte[ActionsBytes];
        var allSignals = stackalloc byte[SignalSetBytes];
        var noSignals = stackalloc byte[SignalSetBytes];
        new Span<byte>(allSignals, SignalSetBytes).Fill(0xFF);
        new Span<byte>(noSignals, SignalSetBytes).Clear();
        Check(LibC.Native.SpawnAttributesInit(attributes));
        Check(LibC.Native.SpawnActionsInit(actions));
        try
        {
            var flags = SetSignalDefaults | SetSignalMask | (ownSession ? SetSession : 0);
            Check(LibC.Native.SpawnAttributesSetFlags(attributes, (short)flags));
            Check(LibC.Native.SpawnAttributesSetDefaults(attributes, allSignals));
            Check(LibC.Native.SpawnAttributesSetMask(attributes, noSignals));
            if (output >= 0)
                Redirect(actions, input, output, error);
            // Ours close by themselves; this is for what we inherited, which is no business of what we start.
            Check(LibC.Native.SpawnActionsCloseFrom(actions, 3));
            if (spec.WorkingDirectory is { } directory)
                Check(LibC.Native.SpawnActionsChangeDirectory(actions, directory));
            return Start(spec, attributes, actions);
        }
        finally
        {
            Check(LibC.Native.SpawnActionsDestroy(actions));
            Check(LibC.Native.SpawnAttributesDestroy(attributes));
        }
    }

    private static void Redirect(void* actions, int input, int output, int error)
    {
        if (input >= 0)
            Check(LibC.Native.SpawnActionsDuplicate(actions, input, 0));
        else
            Check(LibC.Native.SpawnActionsOpen(actions, 0, "/dev/null", 0, 0));
        Check(LibC.Native.SpawnActionsDuplicate(actions, output, 1));
        Check(LibC.Native.SpawnActionsDuplicate(actions, error, 2));
    }

    private static int Start(ProcessSpec spec, void* attributes, void* actions)
    {
        var arguments = spec.ParentDeathSignal
            ? ["setpriv", "--pdeathsig", "KILL", "--", spec.FileName, .. spec.Arguments]
            : new List<string> { spec.FileName }.Concat(spec.Arguments);
        var program = spec.ParentDeathSignal ? "setpriv" : spec.FileName;
        using var file = new NativeStrings([program]);
        using var argumentList = new NativeStrings(arguments);
        using var environment = new NativeStrings(Environment(spec));
        int process;
        var failure = LibC.Native.Spawn(
            &process, file.Pointer[0], actions, attributes, argumentList.Pointer, environment.Pointer);
        if (failure == 0)
            return process;
        var where = spec.WorkingDirectory is { } directory ? $" in {directory}" : "";
        throw new ProcessStartException($"{program} could not be started{where}: {Errno.Text(failure)}.");
    }

    private static IEnumerable<string> Environment(ProcessSpec spec)
    {
        if (spec.Environment is { } given)
            return given.Select(variable => $"{variable.Key}={variable.Value}");
        return System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(variable => $"{variable.Key}={variable.Value}");
    }

    private static void Check(int error)
    {
        if (error != 0)
            throw Errno.Failed("A process could not be prepared", error);
    }

    /// <summary>A list of strings as C has them: an array of pointers that ends with null.</summary>
    private sealed class NativeStrings : IDisposable
    {
        internal NativeStrings(IEnumerable<string> strings)
        {
            var list = strings.ToList();
            if (list.Exists(text => text.Contains('\0', StringComparison.Ordinal)))
                throw new ProcessStartException("A program's argument or environment may not hold a NUL character.");
            var encoded = list.ConvertAll(Encoding.UTF8.GetBytes);
            var table = (nuint)((encoded.Count + 1) * sizeof(byte*));
            var block = (byte*)NativeMemory.Alloc(table + (nuint)encoded.Sum(bytes => bytes.Length + 1));
            Pointer = (byte**)block;
            var next = block + table;
            for (var i = 0; i < encoded.Count; i++)
            {
                Pointer[i] = next;
                encoded[i].CopyTo(new Span<byte>(next, encoded[i].Length));
                next[encoded[i].Length] = 0;
                next += encoded[i].Length + 1;
            }

            Pointer[encoded.Count] = null;
        }

        internal byte** Pointer { get; }

        public void Dispose() => NativeMemory.Free(Pointer);
    }
}
