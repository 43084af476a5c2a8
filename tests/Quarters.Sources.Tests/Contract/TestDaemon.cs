using System.Net;
using System.Net.Sockets;
using Quarters.Linux.Processes;

namespace Quarters.Sources.Tests.Contract;

/// <summary>A real server on loopback for a test, which stays in the foreground and ends with the test.</summary>
internal sealed class TestDaemon : IAsyncDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private readonly Task<ProcessResult> _running;

    private TestDaemon(string directory, string[] command) => _running = ProcessRunner.RunAsync(
        new ProcessSpec
        {
            FileName = command[0],
            Arguments = command[1..],
            WorkingDirectory = directory,
            Environment = TestProgram.Variables(directory),
            ParentDeathSignal = true,
        },
        _ended.Token);

    /// <summary>Starts a server and waits until somebody listens on the port.</summary>
    internal static async Task<TestDaemon> StartAsync(int port, string directory, params string[] command)
    {
        var daemon = new TestDaemon(directory, command);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            if (daemon._running.IsCompleted)
                Assert.Fail($"{command[0]} ended: {(await daemon._running).StandardError}");
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port, patience.Token);
                return daemon;
            }
            catch (SocketException)
            {
                await Task.Delay(20, patience.Token);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        try
        {
            await _running;
        }
        catch (OperationCanceledException)
        {
            // That is how it ends.
        }

        _ended.Dispose();
    }
}
