using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;

namespace Quarters.Node;

/// <summary>
/// Connections to one peer, or to the rest of the world. A peer proves its key by TLS; or it is read through something
/// with a certificate of its own (a web space, a cache), and then proves by signatures. Which of both is found out by
/// asking, and remembered.
/// </summary>
internal sealed class PeerConnections : IDisposable
{
    private readonly NodeKey? _pin;
    private readonly HttpClient _direct;
    private readonly HttpClient? _between;
    private volatile bool _isBetween;

    internal PeerConnections(NodeKey? pin, PullerSettings settings)
    {
        _pin = pin;
        var authorities = Authorities.Load(settings.AuthoritiesFile);
        _direct = Client(PeerHandler.Create(pin, isDirect: true, authorities, settings.ConnectWithin));
        if (pin is not null)
            _between = Client(PeerHandler.Create(pin, isDirect: false, authorities, settings.ConnectWithin));
    }

    /// <summary>Sends a question, and says whether the connection proves who answers.</summary>
    internal async Task<(HttpResponseMessage Response, bool IsProven)> SendAsync(
        Func<HttpRequestMessage> question, CancellationToken cancellationToken)
    {
        if (_between is null)
            return (await SendAsync(_direct, question, cancellationToken), true);
        using (var request = question())
        {
            var url = request.RequestUri!;
            if (url.Scheme != Uri.UriSchemeHttps)
            {
                // On this machine a front may do the encryption; elsewhere anybody could keep a reader in the past.
                if (!url.IsLoopback)
                    throw new PullException(new PullFailure(PullFailureKind.WrongKey,
                        $"{url} is not encrypted: only https (or http on this machine) is asked for the key {_pin}",
                        IsPassing: false));
                return (await SendAsync(_between, question, cancellationToken), false);
            }
        }

        var first = _isBetween;
        try
        {
            return (await SendAsync(first ? _between : _direct, question, cancellationToken), !first);
        }
        catch (HttpRequestException e) when (IsOtherWay(e))
        {
            _isBetween = !first;
            return (await SendAsync(first ? _direct : _between, question, cancellationToken), first);
        }
    }

    public void Dispose()
    {
        _direct.Dispose();
        _between?.Dispose();
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient client, Func<HttpRequestMessage> question, CancellationToken cancellationToken)
    {
        using var request = question();
        // Questions that wait for news would otherwise take a connection each.
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    private static bool IsOtherWay(Exception? e) =>
        e is not null && (e is OtherWayException || IsOtherWay(e.InnerException));

    private static HttpClient Client(SocketsHttpHandler handler)
    {
        var client = new HttpClient(handler)
        {
            Timeout = Timeout.InfiniteTimeSpan, // Deadline knows better: a long wait is no stall.
        };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("quarters", "1"));
        return client;
    }
}

/// <summary>The peer is to be asked the other way: its key is proven by TLS where signatures were expected, or an
/// authority's certificate came where its key was.</summary>
internal sealed class OtherWayException() : AuthenticationException("the peer is to be asked the other way");
