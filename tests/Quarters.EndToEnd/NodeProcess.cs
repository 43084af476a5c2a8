using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Quarters.EndToEnd;

/// <summary><c>quarters master</c> or <c>quarters builder</c> as a process on a host of a <see cref="ShapedNetwork"/>,
/// which can be killed and started again.</summary>
internal sealed partial class NodeProcess(NetworkHost host, string home, params string[] arguments) : IAsyncDisposable
{
    private const int Interrupt = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly StringBuilder _said = new();
    private Process? _process;

    public NetworkHost Host => host;

    /// <summary>Where its configuration is, and its state.</summary>
    public string Home => home;

    public bool HasExited => _process is { HasExited: true };

    /// <summary>What it printed, all runs together.</summary>
    public string Said
    {
        get
        {
            lock (_said) return _said.ToString();
        }
    }

    /// <summary>Its key, as it says when it begins; null before.</summary>
    public string? Key => KeyLine().Match(Said) is { Success: true } line ? line.Groups["key"].Value : null;

    public void Start()
    {
        // nsenter and env become the program: what is killed is the node itself. Whoever ran the tests in the
        // background of a shell had Ctrl-C ignored, for them and all that they start.
        var command = host.Command(
            ["env", "--default-signal=INT", BuiltProgram.Location, .. arguments]);
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(command[0], command[1..])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
                WorkingDirectory = home,
            },
        };
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>kill -9: nothing gets a chance to tidy up.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(Patience, CancellationToken.None);
        _process.Dispose();
        _process = null;
    }

    /// <summary>Ctrl-C; returns the exit code.</summary>
    public async Task<int> InterruptAsync()
    {
        Assert.Equal(0, Kill(_process!.Id, Interrupt));
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken)
            .WaitAsync(Patience, TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await KillAsync();
    }

    private void Hear(string? line)
    {
        if (line is null) return;
        lock (_said) _said.AppendLine(line);
    }

    [GeneratedRegex("its key is (?<key>sha256:[0-9a-f]{64})")]
    private static partial Regex KeyLine();

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);
}
