using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Quarters.Node;

/// <summary>Connections to one peer, or to the rest of the world.</summary>
internal static class PeerHandler
{
    private const int ConnectionsPerServer = 8;

    private const int HeadersKilobytes = 16;

    /// <summary>A handler that talks only to whoever holds the key; without one, to whom the system's authorities
    /// vouch for.
    /// </summary>
    internal static SocketsHttpHandler Create(NodeKey? pin, TimeSpan connectWithin)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = connectWithin,
            UseCookies = false,
            // A peer's documents are at the peer: only mirrors may send a reader elsewhere.
            AllowAutoRedirect = pin is null,
            MaxAutomaticRedirections = 5,
            MaxConnectionsPerServer = ConnectionsPerServer,
            MaxResponseHeadersLength = HeadersKilobytes,
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            Proxy = new DirectToLoopback(HttpClient.DefaultProxy),
        };
        if (pin is not null)
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                IsPinned(certificate, pin);
        return handler;
    }

    private static bool IsPinned(X509Certificate? certificate, NodeKey pin)
    {
        // Names and dates do not matter: the key is the node. Revealing which key came instead tells the owner what
        // happened (a reinstalled node, a wrong address, an attack).
        var presented = certificate is X509Certificate2 shown ? NodeKey.Of(shown) : null;
        return presented == pin ? true : throw new WrongKeyException(pin, presented);
    }

    /// <summary>The system's proxy, but never for this machine itself: a proxy could not reach it.</summary>
    private sealed class DirectToLoopback(IWebProxy system) : IWebProxy
    {
        public ICredentials? Credentials
        {
            get => system.Credentials;
            set => system.Credentials = value;
        }

        public Uri? GetProxy(Uri destination) => destination.IsLoopback ? null : system.GetProxy(destination);

        public bool IsBypassed(Uri host) => host.IsLoopback || system.IsBypassed(host);
    }
}

/// <summary>Somebody else answered.</summary>
internal sealed class WrongKeyException(NodeKey expected, NodeKey? presented)
    : AuthenticationException($"expected the key {expected}, but {presented?.ToString() ?? "no key"} was presented");
