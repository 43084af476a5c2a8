using System.Collections.Immutable;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master.Pages;

/// <summary>How far a rebuild, or a stage of a bootstrap, is.</summary>
internal sealed record RebuildView : View
{
    private RebuildView(PageInput input, Rebuild rebuild) : base(input, rebuild.Name)
    {
        Rebuild = rebuild;
        Section = "overview";
    }

    /// <summary>The rebuild.</summary>
    public Rebuild Rebuild { get; }

    /// <summary>How many of its packages are built.</summary>
    public required int Built { get; init; }

    /// <summary>How many of its packages failed.</summary>
    public required int Failed { get; init; }

    /// <summary>What was asked for, and where this page stands.</summary>
    public required Paging Paging { get; init; }

    /// <summary>The packages of this page.</summary>
    public required ImmutableArray<RebuildRow> Rows { get; init; }

    /// <summary>The command that publishes all of it.</summary>
    public string Merge => $"quarters merge {Rebuild.Stage?.Bootstrap ?? Rebuild.Name}";

    /// <summary>The rebuild as this page shows it; null where none of that name is under way. All members are looked
    /// at, reasons only of what is shown.</summary>
    public static RebuildView? Of(string name, PageQuery query, PageInput input)
    {
        var state = input.State;
        if (!state.Rebuilds.TryGetValue(name, out var rebuild)) return null;
        var all = rebuild.Members.Keys
            .Select(pkgbase => (Name: pkgbase, Status: Rebuilds.StatusOf(state, rebuild, pkgbase))).ToList();
        var found = all.Where(row => query.Matches(row.Name) && (query.Status ?? row.Status) == row.Status).ToList();
        var paging = new Paging(Links.Rebuild(name), query, found.Count);
        return new RebuildView(input, rebuild)
        {
            Built = all.Count(row => row.Status == JobStatus.Built),
            Failed = all.Count(row => row.Status == JobStatus.Failed),
            Paging = paging,
            Rows =
            [
                .. paging.Of(found).Select(row => new RebuildRow(
                    row.Name, rebuild.Members[row.Name].Source?.Version ?? "", row.Status,
                    row.Status == JobStatus.Built ? "" : Rebuilds.WhyNot(state, rebuild, row.Name))),
            ],
        };
    }
}

/// <summary>A package of a rebuild.</summary>
/// <param name="Pkgbase">Its package base.</param>
/// <param name="Version">The version that is built; empty before that is known.</param>
/// <param name="Status">How far it is.</param>
/// <param name="Reason">Why it is not built; empty when it is.</param>
internal sealed record RebuildRow(string Pkgbase, string Version, JobStatus Status, string Reason);
