using System.Net;
using System.Net.Sockets;

namespace Quarters.Node.Tests;

/// <summary>
/// Ports for servers that must be told one. They lie below those that the kernel gives to whoever asks for any one, of
/// which there are hundreds at a time in the tests: one of those could take the place before the server does.
/// </summary>
internal static class FreePort
{
    private const int First = 12_000;
    private const int Count = 18_000;

    /// <summary>Test projects run side by side: each begins elsewhere.</summary>
    private static int _last = Environment.ProcessId * 97;

    /// <summary>A port that nobody listens on, and that is not taken again by this process for long.</summary>
    public static int Take()
    {
        while (true)
        {
            var port = First + ((Interlocked.Increment(ref _last) & int.MaxValue) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it: the next one.
            }
        }
    }
}
