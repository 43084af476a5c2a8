namespace Quarters.Core.Documents;

/// <summary>The <c>schema</c> member of every document: kind and major version. A reader refuses another major
/// version.</summary>
public static class Schemas
{
    /// <summary><c>/v1/node.json</c></summary>
    public const string Node = "quarters/node/1";

    /// <summary>The master's <c>/v1/state.json</c></summary>
    public const string MasterState = "quarters/master-state/1";

    /// <summary>A builder's <c>/v1/state.json</c></summary>
    public const string BuilderState = "quarters/builder-state/1";

    /// <summary><c>/v1/builders.json</c></summary>
    public const string Builders = "quarters/builders/1";

    /// <summary><c>/v1/digest.json</c></summary>
    public const string Digest = "quarters/digest/1";

    /// <summary><c>/v1/queue.json</c></summary>
    public const string Queue = "quarters/queue/1";

    /// <summary><c>/v1/jobs/ID.json</c></summary>
    public const string Job = "quarters/job/1";

    /// <summary><c>/v1/packages/PKGBASE.json</c></summary>
    public const string Package = "quarters/package/1";

    /// <summary><c>/v1/bootstraps.json</c></summary>
    public const string Bootstraps = "quarters/bootstraps/1";

    /// <summary><c>/v1/cycles.json</c></summary>
    public const string Cycles = "quarters/cycles/1";

    /// <summary><c>/v1/changes.json</c></summary>
    public const string Changes = "quarters/changes/1";

    /// <summary><c>/snapshot/ID/snapshot.json</c></summary>
    public const string Snapshot = "quarters/snapshot/1";

    /// <summary>A file in the master's spool.</summary>
    public const string Signal = "quarters/signal/1";

    /// <summary>An operator's <c>/v1/signals.json</c></summary>
    public const string Signals = "quarters/signals/1";

    /// <summary><c>/v1/signals/ID.json</c></summary>
    public const string SignalOutcome = "quarters/signal-outcome/1";
}
