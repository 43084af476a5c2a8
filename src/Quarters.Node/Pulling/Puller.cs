using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using Polly;
using Polly.Retry;

namespace Quarters.Node;

/// <summary>
/// Asks one peer, known by its key, for documents and files; or, without a key, servers that certificate authorities
/// vouch for. Documents are the peer's: either the connection proves its key, or its signature does. Files are what
/// their hash says. Nothing is ever sent but questions. Nothing that comes is larger than the caller allows.
/// May be used from many threads at once.
/// </summary>
public sealed class Puller : IDisposable
{
    /// <summary>So many bytes are progress; fewer in <see cref="PullerSettings.StallAfter"/> are a stall.</summary>
    public const int ProgressBytes = 1024;

    private readonly PeerConnections _connections;
    private readonly SignatureCheck? _signatures;
    private readonly PullerSettings _settings;
    private readonly TimeProvider _time;
    private readonly ResiliencePipeline<PullFailure?> _retries;

    /// <summary>A puller for a peer.</summary>
    /// <param name="pin">The peer's key; null for servers of others.</param>
    /// <param name="settings">How patient it is.</param>
    /// <param name="time">For deadlines and pauses.</param>
    /// <param name="random">Numbers from 0 to 1, by which pauses differ between readers.</param>
    public Puller(NodeKey? pin, PullerSettings settings, TimeProvider time, Func<double> random)
    {
        Pin = pin;
        _settings = settings;
        _time = time;
        _connections = new PeerConnections(pin, settings);
        _signatures = pin is null ? null : new SignatureCheck(pin);
        var retry = new RetryStrategyOptions<PullFailure?>
        {
            MaxRetryAttempts = Math.Max(1, settings.Retries),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Randomizer = random,
            Delay = settings.FirstPause,
            MaxDelay = settings.LongestPause,
            ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Result is { IsPassing: true }),
        };
        _retries = new ResiliencePipelineBuilder<PullFailure?> { TimeProvider = time }.AddRetry(retry).Build();
    }

    /// <summary>The key that the peer must prove to have.</summary>
    public NodeKey? Pin { get; }

    /// <summary>Asks for a document, once: the next poll is the retry.</summary>
    /// <param name="url">Where it is.</param>
    /// <param name="previousTag">The tag of the version that the reader has; null for none.</param>
    /// <param name="wait">How long to wait for another version than that; zero to be answered at once.</param>
    /// <param name="maxBytes">More than this is refused, in bytes after decoding.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<PullResult> GetDocumentAsync(Uri url, string? previousTag, TimeSpan wait, int maxBytes,
        CancellationToken cancellationToken) =>
        AskAsync(url, wait, async deadline =>
        {
            var (response, isProven) = await SendAsync(() => DocumentQuestion(url, previousTag, wait), deadline);
            using (response)
            {
                if (response.StatusCode == HttpStatusCode.NotModified)
                    return new PullResult.NotModified();
                CheckStatus(url, response, HttpStatusCode.OK);
                var bytes = await ReadAllAsync(url, response, maxBytes, deadline);
                if (!isProven)
                    await _signatures!.CheckAsync(url, bytes, at => SignatureAsync(at, deadline));
                return new PullResult.Document(bytes, response.Headers.ETag?.ToString());
            }
        }, cancellationToken);

    /// <summary>Asks, once, for a small file that the caller can check without a signature, because its name or a
    /// document says what it must be.</summary>
    /// <param name="url">Where it is.</param>
    /// <param name="maxBytes">More than this is refused.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<PullResult> GetFileAsync(Uri url, int maxBytes, CancellationToken cancellationToken) =>
        AskAsync(url, TimeSpan.Zero, async deadline =>
            new PullResult.Document(await FileAsync(url, maxBytes, deadline), null), cancellationToken);

    /// <summary>Asks for what a growing file has from an offset on: a log that is followed.</summary>
    /// <param name="url">Where it is.</param>
    /// <param name="offset">How many bytes the reader has.</param>
    /// <param name="wait">How long to wait for more.</param>
    /// <param name="maxBytes">How many bytes to take at most; the rest comes with the next question.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The bytes, or <see cref="PullResult.NotModified"/> when there are no more yet.</returns>
    public Task<PullResult> GetTailAsync(Uri url, long offset, TimeSpan wait, int maxBytes,
        CancellationToken cancellationToken) =>
        AskAsync(url, wait, async deadline =>
        {
            using var response = (await SendAsync(TailQuestion, deadline)).Response;
            if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
                return new PullResult.NotModified();
            CheckStatus(url, response, HttpStatusCode.PartialContent);
            if (response.Content.Headers.ContentRange?.From != offset)
                throw new PullException(new PullFailure(PullFailureKind.BadContent,
                    $"{url} answered another part than the one from byte {offset} on", IsPassing: false));
            return new PullResult.Document(await ReadAllAsync(url, response, maxBytes, deadline), null);

            HttpRequestMessage TailQuestion()
            {
                var request = Question(url, wait);
                request.Headers.Range = new RangeHeaderValue(offset, offset + maxBytes - 1);
                return request;
            }
        }, cancellationToken);

    /// <summary>
    /// Fetches a file: resumes where it was cut, also after a restart of this program, checks the hash while bytes
    /// come, and gives the file its name only when all is right. What is there of it meanwhile is in <c>PATH.part</c>.
    /// </summary>
    /// <param name="url">Where it is.</param>
    /// <param name="path">Where it goes. One download of a path at a time.</param>
    /// <param name="sha256">What it must be, 64 lower-case hexadecimal digits.</param>
    /// <param name="maxBytes">More than this is refused.</param>
    /// <param name="cancellationToken">Gives up; what came is kept.</param>
    /// <returns>Null when the file is there, otherwise why it is not.</returns>
    /// <exception cref="IOException">This machine's disk refused.</exception>
    public async Task<PullFailure?> DownloadAsync(Uri url, string path, string sha256, long maxBytes,
        CancellationToken cancellationToken)
    {
        using var download = await Download.OpenAsync(this, url, path, sha256, maxBytes, cancellationToken);
        PullFailure? failure;
        long before;
        do
        {
            before = download.Have;
            failure = await _retries.ExecuteAsync(async token => await download.AttemptAsync(token), cancellationToken);
        }
        while (failure is { IsPassing: true } && download.Have > before);
        if (failure is null)
            download.Finish();
        else if (!failure.IsPassing)
            download.Discard();
        Count(failure);
        return failure;
    }

    /// <inheritdoc/>
    public void Dispose() => _connections.Dispose();

    internal Deadline NewDeadline(CancellationToken cancellationToken) =>
        new(_settings.StallAfter, _settings.StallAfter, Timeout.InfiniteTimeSpan, _time, cancellationToken);

    internal async Task<(HttpResponseMessage Response, bool IsProven)> SendAsync(
        Func<HttpRequestMessage> question, Deadline deadline)
    {
        var answered = await _connections.SendAsync(question, deadline.Token);
        deadline.Begin();
        return answered;
    }

    /// <summary>What an exception of the network means; null when it means something else.</summary>
    internal static PullFailure? FailureOf(Exception e, Uri url, Deadline deadline)
    {
        switch (e)
        {
            case PullException pulled:
                return pulled.Failure;
            case OperationCanceledException when deadline.HasPassed:
                return new PullFailure(PullFailureKind.Timeout,
                    $"{url} sent nothing (or next to nothing) for too long", true);
            // HttpClient lets the socket's own exception through when a line ends as soon as it stands.
            case HttpRequestException or HttpIOException or IOException or SocketException:
                for (var inner = e; inner is not null; inner = inner.InnerException)
                {
                    if (inner is WrongKeyException)
                        return new PullFailure(PullFailureKind.WrongKey,
                            $"{url} is not the node that was asked: {inner.Message}", false);
                    if (inner is AuthenticationException)
                        return new PullFailure(PullFailureKind.WrongKey,
                            $"{url} cannot prove who it is: {inner.Message}", false);
                }

                return new PullFailure(PullFailureKind.Unreachable, $"{url} cannot be read: {Innermost(e).Message}",
                    true);
            case InvalidDataException or ZstdSharp.ZstdException:
                return new PullFailure(PullFailureKind.BadContent, $"{url} cannot be decoded: {e.Message}", false);
            default:
                return null;
        }
    }

    internal static void CheckStatus(Uri url, HttpResponseMessage response, HttpStatusCode expected)
    {
        var status = (int)response.StatusCode;
        if (response.StatusCode == expected)
            return;
        var isPassing = status is 408 or 429 or >= 500;
        // Followed silently, it would make somebody else the peer.
        var sentence = status is >= 300 and < 400 && response.Headers.Location is { } elsewhere
            ? $"{url} answered {status} and points to {elsewhere}, which is not followed: a node is read at its own "
                + "address"
            : $"{url} answered {status} instead of {(int)expected}";
        throw new PullException(new PullFailure(PullFailureKind.Status, sentence, isPassing) { Status = status });
    }

    internal static PullFailure TooLarge(Uri url, long maxBytes) =>
        new(PullFailureKind.TooLarge, $"{url} is larger than the {maxBytes} bytes that are taken", IsPassing: false);

    private async Task<PullResult> AskAsync(Uri url, TimeSpan wait, Func<Deadline, Task<PullResult>> ask,
        CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(wait + _settings.StallAfter, _settings.StallAfter,
            wait + _settings.DocumentWithin, _time, cancellationToken);
        try
        {
            var result = await ask(deadline);
            Count(null);
            return result;
        }
        catch (Exception e) when (FailureOf(e, url, deadline) is { } failure)
        {
            Count(failure);
            return new PullResult.Failed(failure);
        }
    }

    private static HttpRequestMessage Question(Uri url, TimeSpan wait)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (wait > TimeSpan.Zero)
            request.Headers.Add("Prefer", Prefer.Applied(wait));
        return request;
    }

    private static HttpRequestMessage DocumentQuestion(Uri url, string? previousTag, TimeSpan wait)
    {
        var request = Question(url, wait);
        request.Headers.AcceptEncoding.ParseAdd(ContentCoding.Accepted);
        if (previousTag is not null && EntityTagHeaderValue.TryParse(previousTag, out var tag))
            request.Headers.IfNoneMatch.Add(tag);
        return request;
    }

    private async Task<byte[]> FileAsync(Uri url, int maxBytes, Deadline deadline)
    {
        var (response, _) = await SendAsync(() => DocumentQuestion(url, null, TimeSpan.Zero), deadline);
        using (response)
        {
            CheckStatus(url, response, HttpStatusCode.OK);
            return await ReadAllAsync(url, response, maxBytes, deadline);
        }
    }

    private async Task<byte[]?> SignatureAsync(Uri url, Deadline deadline)
    {
        try
        {
            return await FileAsync(url, SignatureCheck.MaxBytes, deadline);
        }
        catch (PullException e) when (e.Failure.Status == (int)HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    private static async Task<byte[]> ReadAllAsync(Uri url, HttpResponseMessage response, int maxBytes,
        Deadline deadline)
    {
        if (response.Content.Headers.ContentLength > maxBytes)
            throw new PullException(TooLarge(url, maxBytes));
        var codings = response.Content.Headers.ContentEncoding;
        using var raw = new CountingStream(await response.Content.ReadAsStreamAsync(deadline.Token), deadline);
        using var decoded = (codings.Count <= 1 ? ContentCoding.Decoder(codings.FirstOrDefault(), raw) : null)
            ?? throw new PullException(new PullFailure(PullFailureKind.BadContent,
                $"{url} is encoded as {string.Join(", ", codings)}, which was not asked for", IsPassing: false));
        using var bytes = new MemoryStream();
        var block = new byte[16 * 1024];
        while (await decoded.ReadAsync(block, deadline.Token) is > 0 and var read)
        {
            if (bytes.Length + read > maxBytes)
                throw new PullException(TooLarge(url, maxBytes));
            bytes.Write(block, 0, read);
        }

        return decoded is GZipStream && raw.Tail != bytes.Length
            ? throw new InvalidDataException("its end is missing")
            : bytes.ToArray();
    }

    private static void Count(PullFailure? failure) => NodeMeter.Pulls.Add(1,
        new KeyValuePair<string, object?>("outcome", failure is null ? "ok" : failure.Kind.ToString()));

    private static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;
}
