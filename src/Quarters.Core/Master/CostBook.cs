using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>What builds cost, while a step adds to it.</summary>
internal sealed class CostBook(MasterState from)
{
    private KnownCosts _any = from.CostsOfAny;
    private KnownCosts _compiled = from.CostsOfCompiled;

    /// <summary>What a build of a package base is expected to take, in seconds.</summary>
    public double Expected(PackageRecord record) => record.Cost?.Seconds
        ?? (IsAny(record) ? _any : _compiled).MedianSeconds;

    /// <summary>The record with what a result tells of the package's cost.</summary>
    public PackageRecord Record(string pkgbase, PackageRecord record, BuildResult result, BuildLimits limits)
    {
        var latest = BuildCost.Of(result, limits, IsAny(record));
        if (result.Outcome == ResultOutcome.Built)
            return Change(pkgbase, record, record.Cost?.With(latest) ?? latest);
        // That it failed within the time that it would be expected to take anyway is no news.
        if (record.Cost is null && latest.Seconds <= Expected(record)) return record;
        return Change(pkgbase, record, record.Cost?.AtLeast(latest) ?? latest);
    }

    /// <summary>Makes the book anew from the records.</summary>
    public void Derive(IEnumerable<KeyValuePair<string, PackageRecord>> records)
    {
        (_any, _compiled) = (KnownCosts.None, KnownCosts.None);
        foreach (var (pkgbase, record) in records) Note(pkgbase, null, record.Cost);
    }

    /// <summary>The state with this book.</summary>
    public MasterState Into(MasterState state) => state with { CostsOfAny = _any, CostsOfCompiled = _compiled };

    private static bool IsAny(PackageRecord record) => record.Source?.Architectures.Contains("any") ?? false;

    private PackageRecord Change(string pkgbase, PackageRecord record, BuildCost cost)
    {
        Note(pkgbase, record.Cost, cost);
        return record with { Cost = cost };
    }

    private void Note(string pkgbase, BuildCost? before, BuildCost? now)
    {
        if (before is not { IsAny: false } || now is not { IsAny: false })
            _any = _any.With(pkgbase, before is { IsAny: true } ? before : null, now is { IsAny: true } ? now : null);
        if (before is not { IsAny: true } || now is not { IsAny: true })
            _compiled = _compiled.With(
                pkgbase, before is { IsAny: false } ? before : null, now is { IsAny: false } ? now : null);
    }
}
