using System.Collections.Immutable;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master.Pages;

/// <summary>The packages of all sources, by name.</summary>
internal sealed record PackagesView : View
{
    private PackagesView(PageInput input) : base(input, "Packages") => Section = "packages";

    /// <summary>What was asked for, and where this page stands.</summary>
    public required Paging Paging { get; init; }

    /// <summary>The packages of this page.</summary>
    public required ImmutableArray<PackageRow> Rows { get; init; }

    /// <summary>The state as this page shows it. All names are looked at, reasons only of what is shown.</summary>
    public static PackagesView Of(PageQuery query, PageInput input)
    {
        var state = input.State;
        var found = Readable(query, state).Concat(Unreadable(query, state)).ToList();
        found.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        var paging = new Paging("/packages", query, found.Count);
        return new PackagesView(input)
        {
            Paging = paging,
            Rows = [.. paging.Of(found).Select(row => WithReason(state, row))],
        };
    }

    private static IEnumerable<PackageRow> Readable(PageQuery query, MasterState state)
    {
        foreach (var (name, record) in state.Packages)
        {
            if (record.Source is not { } source) continue;
            var status = Projection.StatusOf(state, record);
            if (query.Status is { } asked && asked != status) continue;
            if (!query.Matches(name) && !source.Packages.Any(output => query.Matches(output.Name))) continue;
            yield return new PackageRow(name, source.Version, status, source.Origin.Source, "", null);
        }
    }

    private static IEnumerable<PackageRow> Unreadable(PageQuery query, MasterState state) =>
        query.Status is null or JobStatus.Failed
            ? state.Unreadable.Where(pair => query.Matches(pair.Value.Name)).Select(pair => new PackageRow(
                pair.Value.Name, "", JobStatus.Failed, MasterState.SourceOfPathKey(pair.Key),
                "cannot be read: " + pair.Value.Reason, pair.Value.Time))
            : [];

    private static PackageRow WithReason(MasterState state, PackageRow row)
    {
        if (row.Reason.Length > 0 || !state.Packages.TryGetValue(row.Name, out var record)) return row;
        var job = record.Jobs.Select(id => state.Jobs[id]).LastOrDefault(job => job.Status == row.Status);
        return job is null ? row : row with { Reason = Why.Of(state, job), Since = job.Since };
    }
}

/// <summary>A package in a line.</summary>
/// <param name="Name">The package base.</param>
/// <param name="Version">The version of its source; empty where it cannot be read.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Source">The source that holds it.</param>
/// <param name="Reason">Why it stands there; empty where the status says all.</param>
/// <param name="Since">Since when; null where no job says.</param>
internal sealed record PackageRow(
    string Name, string Version, JobStatus Status, string Source, string Reason, DateTimeOffset? Since);
