using System.Diagnostics.Metrics;

namespace Quarters.Node;

/// <summary>What every node counts about itself; <c>/metrics</c> shows it.</summary>
internal static class NodeMeter
{
    internal const string Name = "Quarters.Node";

    private static readonly Meter Meter = new(Name);

    internal static readonly Counter<long> JournalEvents =
        Meter.CreateCounter<long>("quarters.journal.events", "{event}", "Events written to the journal.");

    internal static readonly Histogram<double> JournalSync =
        Meter.CreateHistogram<double>("quarters.journal.sync.duration", "s",
            "Time until the device had what was journaled.");

    internal static readonly Counter<long> BytesServed =
        Meter.CreateCounter<long>("quarters.served.bytes", "By", "Bytes of documents and files sent.");

    internal static readonly UpDownCounter<long> Waiting =
        Meter.CreateUpDownCounter<long>("quarters.served.waiting", "{request}", "Readers that wait for news.");

    internal static readonly Counter<long> Pulls =
        Meter.CreateCounter<long>("quarters.pulls", "{pull}", "Documents and files asked of other nodes, by outcome.");

    internal static readonly Counter<long> BytesPulled =
        Meter.CreateCounter<long>("quarters.pulled.bytes", "By", "Bytes of documents and files received.");
}
