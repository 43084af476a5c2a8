using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Quarters.Node;

namespace Quarters.Builder.Fetching;

/// <summary>What a builder reads from its master, and how often it asks.</summary>
internal sealed class MasterLink : IDisposable
{
    /// <summary>How long the master may let a question wait for news.</summary>
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(25);

    /// <summary>The pause between two questions when the master's files are served by something that does not
    /// wait.</summary>
    private static readonly TimeSpan WithoutWaiting = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly BuilderOptions _options;
    private readonly Uri _url;
    private readonly Puller _puller;
    private readonly Puller _others;

    internal MasterLink(BuilderOptions options)
    {
        _options = options;
        // Without the slash at its end, the last part of a base URL would be replaced instead of added to.
        _url = new Uri(options.MasterUrl.AbsoluteUri.TrimEnd('/') + "/");
        _puller = new Puller(options.MasterKey, options.Pulling, options.Time, options.Random);
        _others = new Puller(null, options.Pulling, options.Time, options.Random);
    }

    /// <summary>The address of a path below the master's base URL.</summary>
    internal Uri At(string path) => new(_url, "./" + path.TrimStart('/'));

    /// <summary>
    /// Asks for a document again and again: every version of it, and every failure, as it comes. That nothing changed
    /// comes too, so that the reader knows that the master lives.
    /// </summary>
    /// <param name="path">Below the master's base URL.</param>
    /// <param name="maxBytes">No document may be larger.</param>
    /// <param name="betweenNews">After news the next are not asked for before this; asked with each.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async IAsyncEnumerable<PullResult> FollowAsync(
        string path, int maxBytes, Func<TimeSpan> betweenNews,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? tag = null;
        var failures = 0;
        while (true)
        {
            var asked = _options.Time.GetTimestamp();
            var result = await _puller.GetDocumentAsync(At(path), tag, Wait, maxBytes, cancellationToken);
            yield return result;
            TimeSpan interval;
            switch (result)
            {
                case PullResult.Document document:
                    (tag, failures) = (document.Tag, 0);
                    interval = tag is null ? WithoutWaiting : betweenNews();
                    break;
                case PullResult.NotModified:
                    (failures, interval) = (0, WithoutWaiting);
                    break;
                default:
                    interval = Backoff.After(++failures, FirstPause, LongestPause, _options.Random());
                    asked = _options.Time.GetTimestamp();
                    break;
            }

            if (interval - _options.Time.GetElapsedTime(asked) is { Ticks: > 0 } rest)
                await Task.Delay(rest, _options.Time, cancellationToken);
        }
    }

    /// <summary>Asks for a document once.</summary>
    /// <exception cref="FetchException">It cannot be had.</exception>
    internal async Task<byte[]> GetDocumentAsync(string path, int maxBytes, CancellationToken cancellationToken) =>
        Bytes(path, await _puller.GetDocumentAsync(At(path), null, TimeSpan.Zero, maxBytes, cancellationToken));

    /// <summary>Asks once for a small file that says itself what it must be; see <see
    /// cref="Puller.GetFileAsync"/>.</summary>
    /// <exception cref="FetchException">It cannot be had.</exception>
    internal async Task<byte[]> GetFileAsync(string path, int maxBytes, CancellationToken cancellationToken) =>
        Bytes(path, await _puller.GetFileAsync(At(path), maxBytes, cancellationToken));

    /// <summary>Fetches a file, from the master or, by another address, from anywhere.</summary>
    /// <returns>Null when it is there; otherwise why it is not.</returns>
    internal Task<PullFailure?> DownloadAsync(
        Uri from, string path, string sha256, long maxBytes, CancellationToken cancellationToken) =>
        (_url.IsBaseOf(from) ? _puller : _others).DownloadAsync(from, path, sha256, maxBytes, cancellationToken);

    /// <summary>Reads a document of a kind.</summary>
    /// <exception cref="FetchException">It is another, or none.</exception>
    internal static T Parse<T>(
        byte[] bytes, JsonTypeInfo<T> typeInfo, Func<T, string> schemaOf, string expected, string path)
        where T : class
    {
        try
        {
            var document = JsonSerializer.Deserialize(bytes, typeInfo)
                ?? throw new FetchException($"The master's {path} is empty.");
            return schemaOf(document) == expected
                ? document
                : throw new FetchException(
                    $"The master's {path} is \"{schemaOf(document)}\", but this builder reads \"{expected}\": "
                    + "one of the two needs an update.");
        }
        catch (JsonException broken)
        {
            throw new FetchException($"The master's {path} cannot be read: {broken.Message}");
        }
    }

    private byte[] Bytes(string path, PullResult result) => result switch
    {
        PullResult.Document document => document.Bytes,
        PullResult.Failed failed => throw new FetchException(failed.Failure.Sentence + "."),
        _ => throw new FetchException($"{At(path)} answered that nothing changed, which was not asked."),
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        _puller.Dispose();
        _others.Dispose();
    }
}

/// <summary>Something that a build needs could not be had, or is not what was promised. The message is a
/// sentence.</summary>
internal sealed class FetchException(string message) : Exception(message);
