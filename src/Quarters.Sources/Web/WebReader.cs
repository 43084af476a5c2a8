using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Quarters.Sources.Web;

/// <summary>What was read, and by what its next change is noticed.</summary>
/// <param name="Body">The content; null when it is still what the mark stands for.</param>
/// <param name="Mark">What to ask with next time: the entity tag, or else the date; null when it has neither.</param>
/// <param name="ContentType">What the server calls it; empty when it does not say.</param>
internal sealed record WebAnswer(byte[]? Body, string? Mark, string ContentType);

/// <summary>Reads what web servers have: bounded, conditional, and no more often than they want to be asked.</summary>
internal sealed class WebReader(TimeProvider time)
{
    private const int Attempts = 3;
    private const int MaxMarkLength = 1000;

    private static readonly TimeSpan RequestTimeout = TimeSpan.FromMinutes(2);

    /// <summary>A server that asks for more patience than this is left alone until then, poll or no poll.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan DefaultPause = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan MostPatience = TimeSpan.FromHours(6);

    // All readers share it, and the connections in it, as long as the process lives.
    private static readonly HttpClient Client = new(new SocketsHttpHandler
    {
        AutomaticDecompression = DecompressionMethods.GZip | DecompressionMethods.Deflate,
        MaxAutomaticRedirections = 5,
        UseCookies = false,
        ConnectTimeout = TimeSpan.FromSeconds(30),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        // A deadline of our own says whose it was.
        Timeout = Timeout.InfiniteTimeSpan,
        DefaultRequestHeaders = { { "User-Agent", "quarters" } },
    };

    private DateTimeOffset _notBefore = DateTimeOffset.MinValue;

    /// <summary>Reads a document.</summary>
    /// <param name="url">Where it is.</param>
    /// <param name="mark">The mark of an earlier answer that is still at hand; null for none.</param>
    /// <param name="maxBytes">The most that is read.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="SourceUnreachableException">It cannot be had now, or is too large.</exception>
    internal async Task<WebAnswer> ReadAsync(Uri url, string? mark, long maxBytes, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (_notBefore > time.GetUtcNow())
                throw new SourceUnreachableException(
                    $"{url.Authority} does not want to be asked before {_notBefore:u}; it is asked again then.");
            using var deadline = new CancellationTokenSource(RequestTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
            try
            {
                var (answer, pause) = await AskAsync(url, mark, maxBytes, either.Token);
                if (answer is not null)
                    return answer;
                if (pause > LongestPause || attempt == Attempts)
                    _notBefore = time.GetUtcNow() + pause;
                else
                    await Task.Delay(pause, time, cancellationToken);
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException or SocketException)
            {
                throw new SourceUnreachableException($"{url} cannot be read: {failure.Message}");
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new SourceUnreachableException(
                    $"{url} cannot be read: no answer in {RequestTimeout.TotalSeconds:0} s.");
            }
        }
    }

    /// <summary>Asks once; no answer and a pause when the server has too much to do.</summary>
    private async Task<(WebAnswer? Answer, TimeSpan Pause)> AskAsync(
        Uri url, string? mark, long maxBytes, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (mark is not null)
            request.Headers.TryAddWithoutValidation(mark[0] == '@' ? "If-Modified-Since" : "If-None-Match", mark[1..]);
        using var response = await Client.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
            return (null, PauseOf(response.Headers.RetryAfter));
        if (response.StatusCode == HttpStatusCode.NotModified && mark is not null)
            return (new WebAnswer(null, mark, ""), TimeSpan.Zero);
        if (!response.IsSuccessStatusCode)
            throw new SourceUnreachableException(
                $"{url} cannot be read: {(int)response.StatusCode} {response.ReasonPhrase}.");
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var body = await BodyAsync(stream, maxBytes, cancellationToken)
            ?? throw new SourceUnreachableException($"{url} has more than {maxBytes} bytes, which are not read.");
        return (new WebAnswer(body, MarkOf(response), response.Content.Headers.ContentType?.MediaType ?? ""),
            TimeSpan.Zero);
    }

    private static async Task<byte[]?> BodyAsync(Stream stream, long maxBytes, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        var buffer = new byte[64 << 10];
        while (await stream.ReadAsync(buffer, cancellationToken) is > 0 and var count)
        {
            if (body.Length + count > maxBytes)
                return null;
            body.Write(buffer, 0, count);
        }

        return body.ToArray();
    }

    private static string? MarkOf(HttpResponseMessage response)
    {
        // Tags and dates of files count seconds: what was just written may be written once more and keep its mark.
        if (response.Content.Headers.LastModified is { } written && response.Headers.Date - written < Settled)
            return null;
        var mark = response.Headers.ETag is { } tag ? "#" + tag
            : response.Content.Headers.LastModified is { } date ? "@" + date.ToString("r") : null;
        return mark?.Length <= MaxMarkLength ? mark : null;
    }

    private TimeSpan PauseOf(RetryConditionHeaderValue? header)
    {
        var pause = header?.Delta ?? (header?.Date is { } date ? date - time.GetUtcNow() : DefaultPause);
        return pause < TimeSpan.Zero ? TimeSpan.Zero : pause > MostPatience ? MostPatience : pause;
    }
}
