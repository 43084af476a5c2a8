using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Quarters.Configuring;
using Quarters.Node;

namespace Quarters.Reading;

/// <summary>Reads a node's public documents: what every command that tells about the farm stands on.</summary>
internal sealed class NodeLink : IDisposable
{
    private const int MaxDocumentBytes = 64 << 20;

    /// <summary>How long to wait for news in one question.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);

    private readonly Puller _puller;

    internal NodeLink(Uri address, NodeKey key)
    {
        Address = address;
        var settings = new PullerSettings { ConnectWithin = TimeSpan.FromSeconds(5) };
        _puller = new Puller(key, settings, TimeProvider.System, new Random().NextDouble);
    }

    /// <summary>The node's base URL.</summary>
    internal Uri Address { get; }

    /// <summary>The node that the options name.</summary>
    /// <exception cref="MistakeException">They name none.</exception>
    internal static NodeLink Open(ParseResult parsed, NodeOptions options)
    {
        var url = parsed.GetValue(options.Url);
        var key = parsed.GetValue(options.Key);
        if (url is null && key is null)
        {
            var config = parsed.GetValue(options.Config) ?? Farm.TryFind(null);
            if (config is null && File.Exists(BuilderHome.FileName)) config = BuilderHome.FileName;
            if (config is not null && BuilderHome.IsOne(config))
            {
                var home = BuilderHome.Load(config);
                return new NodeLink(home.MasterUrl, home.MasterKey);
            }

            var farm = Farm.Load(Farm.Find(config));
            return new NodeLink(farm.MasterUrl, farm.MasterKey());
        }

        if (parsed.GetValue(options.Config) is not null)
            throw new MistakeException("--config names one node and --url another; give one of them");
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttps)
            throw new MistakeException("--key needs --url, such as --url https://192.0.2.1:7373");
        if (!NodeKey.TryParse(key, out var pin))
            throw new MistakeException("--url needs --key sha256:HEX, the key that `quarters up` prints there");
        return new NodeLink(new Uri(address.AbsoluteUri.TrimEnd('/') + "/"), pin);
    }

    /// <summary>Reads a document.</summary>
    /// <param name="path">Below the base URL, such as <c>v1/state.json</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Its bytes; null when the node has no such document.</returns>
    /// <exception cref="MistakeException">Nobody answers, or not the right node.</exception>
    internal async Task<byte[]?> FindAsync(string path, CancellationToken cancellationToken)
    {
        var result = await _puller.GetDocumentAsync(
            new Uri(Address, path), null, TimeSpan.Zero, MaxDocumentBytes, cancellationToken);
        return result switch
        {
            PullResult.Document document => document.Bytes,
            PullResult.Failed { Failure.Status: 404 } => null,
            PullResult.Failed failed => throw Refusal(failed.Failure),
            _ => throw new InvalidOperationException($"{path} was not asked for with a tag"),
        };
    }

    /// <summary>Reads a document that every node of this kind has.</summary>
    /// <exception cref="MistakeException">Nobody answers, or the node has no such document.</exception>
    internal async Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken) =>
        await FindAsync(path, cancellationToken)
        ?? throw new MistakeException($"{Address} has no {path}; is it the address of a Quarters master?");

    /// <summary>Reads a document again and again, whenever it changed.</summary>
    /// <exception cref="MistakeException">While enumerating: nobody answers any more.</exception>
    internal async IAsyncEnumerable<byte[]> FollowAsync(
        string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? tag = null;
        while (true)
        {
            var wait = tag is null ? TimeSpan.Zero : Patience;
            var result = await _puller.GetDocumentAsync(
                new Uri(Address, path), tag, wait, MaxDocumentBytes, cancellationToken);
            if (result is PullResult.Failed failed)
                throw Refusal(failed.Failure);
            if (result is not PullResult.Document document)
                continue;
            tag = document.Tag;
            yield return document.Bytes;
        }
    }

    /// <summary>What a growing file has from an offset on; see <see cref="Puller.GetTailAsync"/>.</summary>
    internal Task<PullResult> TailAsync(
        string path, long offset, TimeSpan wait, int maxBytes, CancellationToken cancellationToken) =>
        _puller.GetTailAsync(new Uri(Address, path), offset, wait, maxBytes, cancellationToken);

    /// <summary>Makes a document of bytes.</summary>
    /// <exception cref="MistakeException">They are none that this version understands.</exception>
    internal T Parse<T>(byte[] bytes, JsonTypeInfo<T> typeInfo, string schema, Func<T, string> schemaOf)
    {
        T? document;
        try
        {
            document = JsonSerializer.Deserialize(bytes, typeInfo);
        }
        catch (JsonException e)
        {
            throw new MistakeException($"{Address} answered something that is not {schema}: {e.Message}");
        }

        if (document is null || schemaOf(document) != schema)
            throw new MistakeException(
                $"{Address} answered {(document is null ? "nothing" : schemaOf(document))} where "
                + $"{schema} was expected; this program and that node are of different versions");
        return document;
    }

    /// <inheritdoc/>
    public void Dispose() => _puller.Dispose();

    internal MistakeException Refusal(PullFailure failure) => new(failure.Kind switch
    {
        PullFailureKind.Unreachable or PullFailureKind.Timeout =>
            $"nobody answers at {Address} ({failure.Sentence}). Is `quarters up` running there?",
        _ => failure.Sentence,
    });
}
