using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Quarters.Core.Master;
using Quarters.Master.Collecting;
using Quarters.Node;

namespace Quarters.Master.Polling;

/// <summary>Polls every listed builder, each in a loop of its own that begins and ends as the list changes: nothing is
/// restarted for it.</summary>
internal sealed class Roster
{
    private readonly Channel<bool> _changed =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly Dictionary<string, Polled> _polled = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly MasterOptions _options;
    private readonly Ledger _ledger;
    private readonly Sightings _sightings;
    private readonly Collector _collector;
    private readonly ILogger<BuilderPolling> _logger;
    private List<Task> _running = [];

    public Roster(MasterOptions options, Ledger ledger, Sightings sightings, Collector collector)
    {
        (_options, _ledger, _sightings, _collector) = (options, ledger, sightings, collector);
        _logger = options.LoggerFactory.CreateLogger<BuilderPolling>();
        ledger.Changed += () => _changed.Writer.TryWrite(true);
        _changed.Writer.TryWrite(true);
    }

    /// <summary>Polls until cancelled. The first loop that breaks ends all.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            while (true)
            {
                var news = _changed.Reader.WaitToReadAsync(stopping.Token).AsTask();
                await await Task.WhenAny(news, _broken.Task);
                _changed.Reader.TryRead(out _);
                Adjust(stopping.Token);
            }
        }
        finally
        {
            await stopping.CancelAsync();
            await Task.WhenAll(_running).ContinueWith(
                _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            foreach (var polled in _polled.Values) polled.Ending.Dispose();
        }
    }

    private void Adjust(CancellationToken stopping)
    {
        var listed = _ledger.State.Builders;
        foreach (var (name, polled) in _polled.ToList())
        {
            if (listed.GetValueOrDefault(name) is { } still && polled.IsOf(still)) continue;
            polled.Ending.Cancel();
            polled.Ending.Dispose();
            _polled.Remove(name);
        }

        _running = _running.FindAll(task => !task.IsCompleted);
        foreach (var builder in listed.Values)
        {
            if (_polled.ContainsKey(builder.Name)) continue;
            var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            _polled[builder.Name] = new Polled(builder, ending);
            var token = ending.Token;
            var polling = Task.Run(() => PollAsync(builder, token), CancellationToken.None);
            _ = polling.ContinueWith(
                ended => _broken.TrySetFromTask(ended), CancellationToken.None,
                TaskContinuationOptions.NotOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
            _running.Add(polling);
        }
    }

    private async Task PollAsync(BuilderRecord builder, CancellationToken ending)
    {
        using var puller = new Puller(
            NodeKey.Parse(builder.PublicKey), _options.Pulling, _options.Time, _options.Random);
        try
        {
            await new BuilderPolling(
                builder, _ledger, _collector, _sightings, puller, _options.Time, _options.Random, _logger)
                .RunAsync(ending);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            _sightings.Forget(builder);
        }
    }

    private sealed record Polled(BuilderRecord Builder, CancellationTokenSource Ending)
    {
        /// <summary>Whether the loop asks where the list says; what else is known of the builder does not matter to
        /// it.</summary>
        public bool IsOf(BuilderRecord other) => Builder.Url == other.Url && Builder.PublicKey == other.PublicKey;
    }
}
