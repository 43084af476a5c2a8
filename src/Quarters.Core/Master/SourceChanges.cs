using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>What a poll of a source changes: packages come, go, move, or cannot be read any more.</summary>
internal static class SourceChanges
{
    public static void Apply(Transition transition, SourcePolled polled)
    {
        var report = polled.Report;
        var reviews = polled.Reviews.ToDictionary(review => review.Path, StringComparer.Ordinal);
        var before = transition.Sources.GetValueOrDefault(report.Source) ?? new SourceState();
        transition.Sources[report.Source] = before with
        {
            Cursor = report.Cursor,
            Total = report.Total,
            LastParsed = report.Parsed,
            TotalParsed = before.TotalParsed + report.Parsed,
        };

        var removed = report.Complete ? report.RemovedPaths.Concat(NotListed(transition, report)) : report.RemovedPaths;
        foreach (var path in removed.ToList())
        {
            transition.Unreadable.Remove(MasterState.PathKey(report.Source, path));
            Forget(transition, report.Source, path);
        }

        foreach (var unreadable in report.Unreadable)
        {
            Forget(transition, report.Source, unreadable.Path);
            transition.Unreadable[MasterState.PathKey(report.Source, unreadable.Path)] = unreadable;
            transition.TouchPackage(unreadable.Name);
        }

        // All are known before the first is planned, or a package could be ready before its new dependency is seen.
        var changed = report.Changed.Where(package => Enter(
            transition, report.Source, package, reviews.GetValueOrDefault(package.Origin.Path))).ToList();
        foreach (var package in changed) Wants.Plan(transition, package.Pkgbase);
    }

    /// <summary>The paths that the source held and that its complete report does not name.</summary>
    private static IEnumerable<string> NotListed(Transition transition, SourceReport report)
    {
        var prefix = MasterState.PathKey(report.Source, "");
        var known = transition.Paths.Keys.Concat(transition.Unreadable.Keys)
            .Where(key => key.StartsWith(prefix, StringComparison.Ordinal)).Select(key => key[prefix.Length..]);
        var listed = report.Changed.Select(package => package.Origin.Path)
            .Concat(report.Unreadable.Select(unreadable => unreadable.Path));
        return known.Except(listed, StringComparer.Ordinal);
    }

    private static bool Enter(
        Transition transition, string source, SourcePackage package, NeededReview? review)
    {
        var key = MasterState.PathKey(source, package.Origin.Path);
        if (transition.Paths.TryGetValue(key, out var had) && had != package.Pkgbase)
            Forget(transition, source, package.Origin.Path);

        var record = transition.Packages.GetValueOrDefault(package.Pkgbase) ?? new PackageRecord();
        if (record.Source is { } other && HasPrecedence(transition, other, source, package.Origin.Path))
        {
            transition.Unreadable[key] = new UnreadablePackage
            {
                Path = package.Origin.Path,
                Name = package.Pkgbase,
                Reason = $"the package base {package.Pkgbase} is already held by {other.Origin.Path} of the source "
                    + $"{other.Origin.Source}; remove one of the two",
                Revision = package.Origin.Revision,
                Time = package.Origin.Time,
            };
            return false;
        }

        transition.Unreadable.Remove(key);
        transition.Paths[key] = package.Pkgbase;
        if (review is not null)
        {
            Reviews.Offer(transition, package, review);
            return false;
        }

        transition.Reviews.Remove(package.Pkgbase);
        transition.Packages[package.Pkgbase] = record with { Source = package };
        return true;
    }

    private static bool HasPrecedence(Transition transition, SourcePackage other, string source, string path)
    {
        if (other.Origin.Source == source && other.Origin.Path == path) return false;
        var order = transition.Settings?.Sources ?? [];
        var theirs = order.IndexOf(other.Origin.Source);
        // A source that is configured no more holds nothing.
        if (theirs < 0) return false;
        return theirs <= order.IndexOf(source);
    }

    private static void Forget(Transition transition, string source, string path)
    {
        var key = MasterState.PathKey(source, path);
        if (!transition.Paths.TryGetValue(key, out var pkgbase)) return;
        transition.Paths.Remove(key);
        Reviews.Forget(transition, pkgbase, source, path);
        var record = transition.Packages[pkgbase];
        if (record.Source is not { } held || held.Origin.Source != source || held.Origin.Path != path) return;
        transition.Packages[pkgbase] = record with { Source = null };
        Wants.Plan(transition, pkgbase);
    }
}
