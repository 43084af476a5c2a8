using System.Diagnostics.Metrics;

namespace Quarters.Builder;

/// <summary>What a builder counts about itself; <c>/metrics</c> shows it.</summary>
internal static class BuilderMeter
{
    private static readonly Meter Meter = new("Quarters.Builder");

    private static int _claims;
    private static int _unsettled;

    // Asked for, not told: what was recorded before somebody listened would be lost.
    private static readonly ObservableGauge<int> Claims = Meter.CreateObservableGauge(
        "quarters.builder.claims", () => _claims, "{claim}", "Jobs that are claimed or built now.");

    private static readonly ObservableGauge<int> Unsettled = Meter.CreateObservableGauge(
        "quarters.builder.unsettled", () => _unsettled, "{result}", "Results that the master has not settled.");

    private static readonly Counter<long> Ended =
        Meter.CreateCounter<long>("quarters.builder.builds", "{build}", "Builds that ended, by outcome.");

    private static readonly Histogram<double> Duration =
        Meter.CreateHistogram<double>("quarters.builder.build.duration", "s", "From the claim to the result.");

    internal static void Show(int claimed, int waiting)
    {
        Volatile.Write(ref _claims, claimed);
        Volatile.Write(ref _unsettled, waiting);
    }

    internal static void Count(string outcome, TimeSpan duration)
    {
        var tag = new KeyValuePair<string, object?>("outcome", outcome);
        Ended.Add(1, tag);
        Duration.Record(duration.TotalSeconds, tag);
    }
}
