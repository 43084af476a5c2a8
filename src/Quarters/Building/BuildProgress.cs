using System.Globalization;
using Quarters.Chroots.Builds;

namespace Quarters.Building;

/// <summary>
/// Tells a waiting person what a build does: on a terminal one line that is written over and over, elsewhere a line for
/// each phase. With the whole log shown there is no line that could be written over.
/// </summary>
internal sealed class BuildProgress : IAsyncDisposable
{
    private const string EraseLine = "\r\u001b[K";

    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly TextWriter _output;
    private readonly string _name;
    private readonly bool _live;
    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly ITimer? _timer;
    private string _phase = "";
    private long _phaseStarted;
    private bool _ended;

    /// <param name="output">Where to tell.</param>
    /// <param name="name">What is built.</param>
    /// <param name="live">Whether the output is a terminal that shows nothing else meanwhile.</param>
    /// <param name="time">The clock.</param>
    internal BuildProgress(TextWriter output, string name, bool live, TimeProvider time)
    {
        (_output, _name, _live, _time) = (output, name, live, time);
        _started = _phaseStarted = time.GetTimestamp();
        if (live)
            _timer = time.CreateTimer(_ => Show(), null, Refresh, Refresh);
    }

    /// <summary>A phase begins.</summary>
    internal void Enter(BuildPhase entered)
    {
        lock (_gate)
        {
            EndPhase();
            _phase = entered.Name();
            _phaseStarted = _time.GetTimestamp();
        }

        Show();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_timer is not null)
            await _timer.DisposeAsync();
        lock (_gate)
        {
            EndPhase();
            _ended = true;
            if (_live)
                _output.Write(EraseLine);
        }
    }

    private void EndPhase()
    {
        if (!_live && _phase.Length > 0)
            _output.WriteLine($"{_name}: {_phase} {Seconds(_phaseStarted)}");
        _phase = "";
    }

    private void Show()
    {
        lock (_gate)
        {
            if (_live && !_ended && _phase.Length > 0)
                _output.Write($"{EraseLine}{_name}: {_phase} {Seconds(_phaseStarted)}, {Seconds(_started)} in all");
        }
    }

    private string Seconds(long since) =>
        _time.GetElapsedTime(since).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + " s";
}
