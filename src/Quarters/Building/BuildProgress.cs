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

    private readonly Lock gate = new();
    private readonly TextWriter output;
    private readonly string name;
    private readonly bool live;
    private readonly TimeProvider time;
    private readonly long started;
    private readonly ITimer? timer;
    private string phase = "";
    private long phaseStarted;
    private bool ended;

    /// <param name="output">Where to tell.</param>
    /// <param name="name">What is built.</param>
    /// <param name="live">Whether the output is a terminal that shows nothing else meanwhile.</param>
    /// <param name="time">The clock.</param>
    internal BuildProgress(TextWriter output, string name, bool live, TimeProvider time)
    {
        (this.output, this.name, this.live, this.time) = (output, name, live, time);
        started = phaseStarted = time.GetTimestamp();
        if (live)
            timer = time.CreateTimer(_ => Show(), null, Refresh, Refresh);
    }

    /// <summary>A phase begins.</summary>
    internal void Enter(BuildPhase entered)
    {
        lock (gate)
        {
            EndPhase();
            phase = entered.Name();
            phaseStarted = time.GetTimestamp();
        }

        Show();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (timer is not null)
            await timer.DisposeAsync();
        lock (gate)
        {
            EndPhase();
            ended = true;
            if (live)
                output.Write(EraseLine);
        }
    }

    private void EndPhase()
    {
        if (!live && phase.Length > 0)
            output.WriteLine($"{name}: {phase} {Seconds(phaseStarted)}");
        phase = "";
    }

    private void Show()
    {
        lock (gate)
        {
            if (live && !ended && phase.Length > 0)
                output.Write($"{EraseLine}{name}: {phase} {Seconds(phaseStarted)}, {Seconds(started)} in all");
        }
    }

    private string Seconds(long since) =>
        time.GetElapsedTime(since).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + " s";
}
