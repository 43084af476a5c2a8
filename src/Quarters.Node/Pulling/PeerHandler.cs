using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Quarters.Node;

/// <summary>Connections to one peer, or to the rest of the world.</summary>
internal static class PeerHandler
{
    private const int ConnectionsPerServer = 8;

    private const int HeadersKilobytes = 16;

    /// <summary>A handler that talks only to whoever holds the key (directly), or only to whom an authority vouches
    /// for (between). Without a key both are the same.</summary>
    internal static SocketsHttpHandler Create(
        NodeKey? pin, bool isDirect, Authorities authorities, TimeSpan connectWithin)
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
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
        {
            var isVouchedFor = authorities.VouchFor(certificate, chain, errors);
            if (pin is null)
                return isVouchedFor;
            // Of the node's own certificate, names and dates do not matter: the key is the node.
            var presented = certificate is X509Certificate2 shown ? NodeKey.Of(shown) : null;
            var isPinned = presented == pin;
            if (isDirect ? isPinned : isVouchedFor && !isPinned)
                return true;
            if (isDirect ? isVouchedFor : isPinned)
                throw new OtherWayException();
            // Revealing which key came instead tells the owner what happened (a reinstalled node, a wrong address, an
            // attack).
            throw new WrongKeyException(pin, presented, errors);
        };
        return handler;
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
internal sealed class WrongKeyException(NodeKey expected, NodeKey? presented, SslPolicyErrors errors)
    : AuthenticationException($"expected the key {expected}, but {presented?.ToString() ?? "no key"} was presented, "
        + $"and nobody who is trusted here vouches for that certificate ({errors})");
