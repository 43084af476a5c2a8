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

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (Puller Puller, long Used)> _open = new(StringComparer.Ordinal);
    private readonly Queue<Puller> _retired = new();
    private long _uses;

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
        lock (_gate)
        {
            foreach (var (puller, _) in _open.Values)
                puller.Dispose();
            _open.Clear();
            while (_retired.TryDequeue(out var puller))
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
        lock (_gate)
        {
            var name = key.ToString();
            if (!_open.TryGetValue(name, out var known))
            {
                if (_open.Count >= MaxOpen)
                {
                    var (oldest, entry) = _open.MinBy(o => o.Value.Used);
                    _open.Remove(oldest);
                    // It may still be read from; by the time that as many others came and went it is not.
                    _retired.Enqueue(entry.Puller);
                    if (_retired.Count > MaxOpen)
                        _retired.Dequeue().Dispose();
                }

                known = (new Puller(key, options.Pulling, options.Time, options.Random), 0);
            }

            _open[name] = known with { Used = ++_uses };
            return known.Puller;
        }
    }
}
