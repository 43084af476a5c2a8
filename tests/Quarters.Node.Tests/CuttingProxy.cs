using System.Net;
using System.Net.Sockets;

namespace Quarters.Node.Tests;

/// <summary>A bad line to a server: each connection breaks after some bytes, as the list says; then it is a good
/// one.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopped = new();
    private readonly int _target;
    private readonly Queue<int> _cuts;
    private readonly Task _accepting;

    public CuttingProxy(int target, IEnumerable<int> cuts)
    {
        _target = target;
        _cuts = new Queue<int>(cuts);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Connections that were made.</summary>
    public int Connections { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stopped.Dispose();
    }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stopped.Token);
                Connections++;
                open.Add(CarryAsync(client, _cuts.Count > 0 ? _cuts.Dequeue() : int.MaxValue));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task CarryAsync(TcpClient client, int budget)
    {
        using (client)
        using (var server = new TcpClient())
        {
            await server.ConnectAsync(IPAddress.Loopback, _target, _stopped.Token);
            // A reset instead of a polite end, as when a line breaks.
            client.LingerState = new LingerOption(true, 0);
            var there = PumpAsync(client, server, int.MaxValue);
            var back = PumpAsync(server, client, budget);
            await Task.WhenAny(there, back);
            client.Close();
            server.Close();
            await Task.WhenAll(there, back);
        }
    }

    private async Task PumpAsync(TcpClient from, TcpClient to, int budget)
    {
        var block = new byte[4096];
        try
        {
            while (budget > 0 && await from.GetStream().ReadAsync(block, _stopped.Token) is > 0 and var read)
            {
                await to.GetStream().WriteAsync(block.AsMemory(0, Math.Min(read, budget)), _stopped.Token);
                budget -= read;
            }
        }
        catch (Exception e) when (
            e is IOException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
            // The other side is gone, which is what this is for.
        }
    }
}
