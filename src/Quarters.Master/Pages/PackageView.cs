using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Master.Pages;

/// <summary>All that is known of one package base.</summary>
internal sealed record PackageView : View
{
    /// <summary>The most jobs and the most dependencies of one package that are shown.</summary>
    public const int MaxRows = 200;

    private PackageView(PageInput input, string pkgbase) : base(input, pkgbase) => Section = "packages";

    /// <summary>What the document of the same package says.</summary>
    public required PackageDocument Package { get; init; }

    /// <summary>Where it stands.</summary>
    public required JobStatus Status { get; init; }

    /// <summary>What must be installed to build it, and who provides that.</summary>
    public required ImmutableArray<DependencyRow> Dependencies { get; init; }

    /// <summary>Its jobs, the newest first.</summary>
    public JobTable Jobs => new([.. Package.Jobs.Take(MaxRows)], Now)
    {
        LogOf = Input.LogOf,
        ShowPackage = false,
        ShowStatus = true,
        ShowReason = true,
    };

    /// <summary>What the repositories hold of it.</summary>
    public required ImmutableArray<PublishedFile> Files { get; init; }

    /// <summary>The package base as this page shows it; null where no source holds or held it.</summary>
    public static PackageView? Of(string pkgbase, PageInput input)
    {
        var state = input.State;
        var record = state.Packages.GetValueOrDefault(pkgbase);
        var isUnreadable = state.Unreadable.Values.Any(u => u.Name == pkgbase);
        if (record is null && !isUnreadable) return null;
        return new PackageView(input, pkgbase)
        {
            Package = Projection.Package(state, pkgbase),
            Status = isUnreadable ? JobStatus.Failed : Projection.StatusOf(state, record!),
            Dependencies = record?.Source is { } source ? [.. DependenciesOf(state, source).Take(MaxRows)] : [],
            Files = [.. PublishedFile.Of(state, pkgbase)],
            Feeds = record?.Source is { } from
                ? [FeedLink.OfPackager(from.Packager), FeedLink.OfRepository(from.Repository)]
                : [],
        };
    }

    private static IEnumerable<DependencyRow> DependenciesOf(MasterState state, SourcePackage source)
    {
        foreach (var row in Rows(source.Dependencies, null)) yield return row;
        foreach (var (architecture, more) in source.DependenciesByArchitecture)
        {
            foreach (var row in Rows(more, architecture)) yield return row;
        }

        IEnumerable<DependencyRow> Rows(BuildDependencies dependencies, string? architecture)
        {
            var judgedFor = architecture ?? state.Settings?.Architectures.FirstOrDefault(source.Architectures.Contains)
                ?? state.Settings?.Architectures.FirstOrDefault() ?? "";
            return dependencies.Depends.Select(r => (Relation: r, Use: "to run"))
                .Concat(dependencies.Makedepends.Select(r => (Relation: r, Use: "to build")))
                .Concat(dependencies.Checkdepends.Select(r => (Relation: r, Use: "to check")))
                .Select(d => new DependencyRow(
                    d.Relation,
                    architecture is null ? d.Use : $"{d.Use} on {architecture}",
                    Provider.Of(state, judgedFor, d.Relation)));
        }
    }
}

/// <summary>A dependency.</summary>
/// <param name="Relation">As the PKGBUILD writes it.</param>
/// <param name="Use">What it is needed for.</param>
/// <param name="Provider">Who provides it; null when nobody does.</param>
internal sealed record DependencyRow(string Relation, string Use, Provider? Provider);
