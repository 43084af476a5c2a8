using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master;

/// <summary>What the repositories of others offer, for sources that follow dependencies and must know which of them are
/// there already. A source is made before the master that knows; so it asks through this.</summary>
public sealed class OutsideOffers
{
    private volatile Ledger? _ledger;

    /// <summary>Gives what says whether a name is offered; null while a database is not pinned yet.</summary>
    public Func<string, bool>? Find()
    {
        if (_ledger?.State is not { Settings: { } settings } state) return null;
        var indexes = new List<PackageIndex>();
        foreach (var outside in settings.Outside)
        {
            var key = MasterState.RepositoryKey(outside.Name, settings.Architectures[0]);
            if (!state.Outside.TryGetValue(key, out var pinned)) return null;
            indexes.Add(pinned.Index);
        }

        return name => indexes.Exists(index => !index.Find(name).IsEmpty);
    }

    internal void Follow(Ledger ledger) => _ledger = ledger;
}
