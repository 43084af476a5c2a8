using Quarters.Alpm;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>Which jobs a package base needs: those whose packages our repositories do not hold, or only
/// older.</summary>
internal static class Wants
{
    /// <summary>Decides which jobs a package base needs, and retires those that it needs no more.</summary>
    public static void Plan(Transition transition, string pkgbase)
    {
        transition.TouchPackage(pkgbase);
        if (transition.Settings is null || !transition.Packages.TryGetValue(pkgbase, out var record)) return;
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        var rebuild = transition.Rebuilds.Values.FirstOrDefault(one => one.Has(pkgbase));
        if (record.Held is null && rebuild is not null) PlanIn(transition, rebuild, pkgbase, wanted);
        else if (record is { Source: { } source, Held: null })
        {
            foreach (var (buildOn, publishedFor) in Targets(transition.Settings, source))
            {
                if (IsWanted(record, source, PublishedVersion(transition, source, publishedFor)))
                    wanted.Add(Need(transition, source, buildOn, null));
            }
        }

        if (record.Held is null)
        {
            foreach (var stage in transition.Rebuilds.Values.Where(one => one.Stage is not null
                && one.Members.ContainsKey(pkgbase)).ToList())
                PlanIn(transition, stage, pkgbase, wanted);
        }

        foreach (var id in transition.Packages[pkgbase].Jobs)
        {
            var job = transition.Jobs[id];
            if ((job.IsOpen || job.Status == JobStatus.Failed) && !wanted.Contains(id))
                transition.SetJob(job with { Status = JobStatus.Superseded, Builder = null, Blockers = [] });
        }
    }

    /// <summary>In a rebuild everything is wanted that its side repository does not hold; but nothing before all is
    /// known, or a package would be built before what it needs.</summary>
    private static void PlanIn(Transition transition, Rebuild rebuild, string pkgbase, HashSet<string> wanted)
    {
        if (rebuild.Members[pkgbase].Source is not { } source || !rebuild.IsPrepared()) return;
        foreach (var (buildOn, publishedFor) in Targets(transition.Settings!, source))
        {
            var side = transition.Repository(rebuild.Name, publishedFor);
            if (PublishedVersion(side, source, publishedFor) != source.Version)
                wanted.Add(Need(transition, source, buildOn, rebuild.Name));
        }
    }

    /// <summary>
    /// The newest version of a package base that one of our repositories holds for an architecture, with all its
    /// packages; null when none does. Which one does not matter: packages are moved on.
    /// </summary>
    public static string? PublishedVersion(Transition transition, SourcePackage source, string architecture)
    {
        string? newest = null;
        foreach (var name in transition.Settings!.Repositories.Append(source.Repository).Distinct())
        {
            var held = PublishedVersion(transition.Repository(name, architecture), source, architecture);
            if (held is not null && (newest is null || PackageVersion.Compare(held, newest) > 0)) newest = held;
        }

        return newest;
    }

    internal static string? PublishedVersion(RepositoryState repository, SourcePackage source, string architecture)
    {
        string? oldest = null;
        foreach (var output in Acceptance.Wanted(source, architecture))
        {
            // A package that is missing, or was left behind at an older version, counts: all must be there.
            if (!repository.Packages.TryGetValue(output.Name, out var held) || held.Pkgbase != source.Pkgbase)
                return null;
            if (oldest is null || PackageVersion.Compare(held.Version, oldest) < 0) oldest = held.Version;
        }

        return oldest;
    }

    private static bool IsWanted(PackageRecord record, SourcePackage source, string? published)
    {
        if (record.Ordered == source.ArchiveSha256) return published != source.Version;
        if (record.Withdrawn is { } withdrawn && PackageVersion.Compare(source.Version, withdrawn) <= 0) return false;
        return published is null || PackageVersion.Compare(source.Version, published) > 0;
    }

    internal static IEnumerable<(string BuildOn, string PublishedFor)> Targets(
        MasterSettings settings, SourcePackage source)
    {
        if (source.Architectures.Contains("any")) return [("any", settings.Architectures[0])];
        return settings.Architectures.Where(source.Architectures.Contains).Select(a => (a, a));
    }

    private static string Need(Transition transition, SourcePackage source, string architecture, string? rebuild)
    {
        var isStage = rebuild is not null && transition.Rebuilds[rebuild].Stage is not null;
        var id = JobId.Of(
            source.Pkgbase, source.Version, architecture, source.ArchiveSha256, isStage ? rebuild : null);
        var known = transition.FindJob(id);
        if (known is not null && known.Rebuild != rebuild)
        {
            // What failed elsewhere may do here: it is another place.
            if (known.IsOpen || known.Status == JobStatus.Failed)
                transition.SetJob(known with { Status = JobStatus.Superseded, Builder = null, Blockers = [] });
            known = transition.FindJob(id)! with { Rebuild = rebuild };
        }

        // One that was done with before is wanted again; one that failed rests, since its source is the same.
        if (known is { Status: JobStatus.Superseded or JobStatus.Built })
            Attempts.Reopen(transition, known, "it is wanted again");
        if (known is not null) return id;
        var record = transition.Packages[source.Pkgbase];
        transition.Packages[source.Pkgbase] = record with { Jobs = record.Jobs.Add(id) };
        transition.SetJob(new Job
        {
            Id = id,
            Pkgbase = source.Pkgbase,
            Version = source.Version,
            Architecture = architecture,
            SourceSha256 = source.ArchiveSha256,
            Rebuild = rebuild,
            Status = JobStatus.Blocked,
            Since = transition.Time,
            Created = transition.Time,
        });
        return id;
    }
}
