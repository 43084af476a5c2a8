using System.Net;
using System.Net.Sockets;

namespace Quarters.Node.Tests;

/// <summary>A bad line to a server: each connection breaks after some bytes, as the list says; then it is a good
/// one.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopped = new();
    private readonly int target;
    private readonly Queue<int> cuts;
    private readonly Task accepting;

    public CuttingProxy(int target, IEnumerable<int> cuts)
    {
        this.target = target;
        this.cuts = new Queue<int>(cuts);
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Connections that were made.</summary>
    public int Connections { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await stopped.CancelAsync();
        listener.Dispose();
        await accepting;
        stopped.Dispose();
    }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync(stopped.Token);
                Connections++;
                open.Add(CarryAsync(client, cuts.Count > 0 ? cuts.Dequeue() : int.MaxValue));
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
            await server.ConnectAsync(IPAddress.Loopback, target, stopped.Token);
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
            while (budget > 0 && await from.GetStream().ReadAsync(block, stopped.Token) is > 0 and var read)
            {
                await to.GetStream().WriteAsync(block.AsMemory(0, Math.Min(read, budget)), stopped.Token);
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
