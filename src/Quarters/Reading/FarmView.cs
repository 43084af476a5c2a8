using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Node;

namespace Quarters.Reading;

/// <summary>The farm as its nodes say themselves: the master's list, and every listed builder's own state.</summary>
internal sealed record FarmView
{
    /// <summary>Where the master's list is.</summary>
    internal const string ListPath = "v1/builders.json";

    private const string DigestPath = "v1/digest.json";
    private const int AtOnce = 32;
    private const int MaxStateBytes = 4 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The builders, in the order of the list.</summary>
    public required ImmutableArray<FarmNode> Builders { get; init; }

    /// <summary>Asks every node of a farm, some at once, each for a limited time.</summary>
    internal static async Task<FarmView> ReadAsync(NodeLink master, CancellationToken cancellationToken)
    {
        var list = master.Parse(
            await master.ReadAsync(ListPath, cancellationToken), QuartersJson.Default.BuildersDocument,
            Schemas.Builders, document => document.Schema);
        var digest = master.Parse(
            await master.ReadAsync(DigestPath, cancellationToken), QuartersJson.Default.DigestDocument,
            Schemas.Digest, document => document.Schema);
        var known = digest.Builders.DistinctBy(one => one.PublicKey)
            .ToDictionary(one => one.PublicKey, StringComparer.Ordinal);
        var nodes = new FarmNode[list.Builders.Length];
        await Parallel.ForAsync(
            0, nodes.Length,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (index, token) =>
            {
                var listed = list.Builders[index];
                var seen = known.GetValueOrDefault(listed.PublicKey);
                var (state, error) = await AskAsync(listed, token);
                nodes[index] = new FarmNode
                {
                    Listed = listed,
                    State = state,
                    Error = error,
                    Seen = seen,
                    SeenSecondsAgo = seen?.LastSeen is { } at
                        ? Math.Max(0, Math.Round((digest.Time - at).TotalSeconds))
                        : null,
                };
            });
        return new FarmView { Builders = [.. nodes] };
    }

    private static async Task<(BuilderStateDocument? State, string? Error)> AskAsync(
        ListedBuilder listed, CancellationToken cancellationToken)
    {
        if (!NodeKey.TryParse(listed.PublicKey, out var key)
            || !Uri.TryCreate(listed.Url.TrimEnd('/') + "/v1/state.json", UriKind.Absolute, out var url))
            return (null, "the list names no address and key of it");
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Patience);
        using var puller = new Puller(
            key, new PullerSettings { ConnectWithin = Patience }, TimeProvider.System, new Random().NextDouble);
        try
        {
            var result = await puller.GetDocumentAsync(url, null, TimeSpan.Zero, MaxStateBytes, deadline.Token);
            if (result is PullResult.Failed failed) return (null, failed.Failure.Sentence);
            var state = JsonSerializer.Deserialize(
                ((PullResult.Document)result).Bytes, QuartersJson.Default.BuilderStateDocument);
            return state?.Schema == Schemas.BuilderState
                ? (state, null)
                : (null, $"it serves {state?.Schema} where {Schemas.BuilderState} was expected");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, $"it did not answer within {Patience.TotalSeconds} s");
        }
        catch (JsonException malformed)
        {
            return (null, $"its state is not the document it should be: {malformed.Message}");
        }
    }
}

/// <summary>One builder of the farm.</summary>
internal sealed record FarmNode
{
    /// <summary>What the master's list says of it.</summary>
    public required ListedBuilder Listed { get; init; }

    /// <summary>What it says itself; null when it cannot be reached from here.</summary>
    public BuilderStateDocument? State { get; init; }

    /// <summary>Why it cannot be reached; null when it can.</summary>
    public string? Error { get; init; }

    /// <summary>What the master last saw of it; null when the master does not say.</summary>
    public DigestBuilder? Seen { get; init; }

    /// <summary>How old that is, by the master's clock, in seconds; null when the master never saw it.</summary>
    public double? SeenSecondsAgo { get; init; }
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FarmView))]
internal sealed partial class FarmViewJson : JsonSerializerContext;
