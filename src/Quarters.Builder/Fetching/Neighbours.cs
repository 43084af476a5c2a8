using System.Text.Json;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Node;

namespace Quarters.Builder.Fetching;

/// <summary>Reads the states of other builders: each by the key that the master's list gives it.</summary>
internal sealed class Neighbours(BuilderOptions options) : IDisposable
{
    private const int MaxStateBytes = 4 << 20;

    /// <summary>Connections to so many builders are kept open.</summary>
    private const int MaxOpen = 32;

    /// <summary>Whoever does not answer within this is taken to be out of reach; the master's eyes see more.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly Dictionary<string, (Puller Puller, long Used)> open = new(StringComparer.Ordinal);
    private readonly Queue<Puller> retired = new();
    private long uses;

    /// <summary>What a builder says; null when it cannot be read, or not believed.</summary>
    internal async Task<BuilderStateDocument?> ReadAsync(ListedBuilder builder, CancellationToken cancellationToken)
    {
        if (!NodeKey.TryParse(builder.PublicKey, out var key)
            || !Uri.TryCreate(builder.Url.TrimEnd('/') + "/", UriKind.Absolute, out var url))
            return null;
        using var limit = new CancellationTokenSource(Patience, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var result = await PullerFor(key).GetDocumentAsync(
                new Uri(url, "v1/state.json"), null, TimeSpan.Zero, MaxStateBytes, either.Token);
            return result is PullResult.Document document ? Parse(document.Bytes) : null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (var (puller, _) in open.Values)
                puller.Dispose();
            open.Clear();
            while (retired.TryDequeue(out var puller))
                puller.Dispose();
        }
    }

    private static BuilderStateDocument? Parse(byte[] bytes)
    {
        try
        {
            var said = JsonSerializer.Deserialize(bytes, QuartersJson.Default.BuilderStateDocument);
            return said?.Schema == Schemas.BuilderState ? said : null;
        }
        catch (JsonException)
        {
            // A peer that speaks nonsense claims nothing.
            return null;
        }
    }

    private Puller PullerFor(NodeKey key)
    {
        lock (gate)
        {
            var name = key.ToString();
            if (!open.TryGetValue(name, out var known))
            {
                if (open.Count >= MaxOpen)
                {
                    var (oldest, entry) = open.MinBy(o => o.Value.Used);
                    open.Remove(oldest);
                    // It may still be read from; by the time that as many others came and went it is not.
                    retired.Enqueue(entry.Puller);
                    if (retired.Count > MaxOpen)
                        retired.Dequeue().Dispose();
                }

                known = (new Puller(key, options.Pulling, options.Time, options.Random), 0);
            }

            open[name] = known with { Used = ++uses };
            return known.Puller;
        }
    }
}
