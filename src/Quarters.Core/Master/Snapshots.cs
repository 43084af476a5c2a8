using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Quarters.Core.Documents;

namespace Quarters.Core.Master;

/// <summary>The repositories as builds see them, pinned by the digests of their databases.</summary>
public static class Snapshots
{
    /// <summary>
    /// The snapshot that a job starting now is built against: our own repositories as published, then those of others
    /// as pinned. Null while one of the others was never fetched.
    /// </summary>
    /// <param name="state">The state.</param>
    /// <param name="architecture">The architecture.</param>
    /// <param name="rebuild">The rebuild whose side repository comes first; null for none.</param>
    public static SnapshotDocument? Of(MasterState state, string architecture, string? rebuild = null)
    {
        if (state.Settings is not { } settings) return null;
        var stage = rebuild is null ? null : state.Rebuilds.GetValueOrDefault(rebuild)?.Stage;
        if (stage is not null && stage.Seeds.Any(seed => settings.Outside.All(one => one.Name != seed))) return null;
        var repositories = ImmutableArray.CreateBuilder<SnapshotRepository>();
        IEnumerable<string> own = rebuild is null ? settings.Repositories
            : stage is null ? [rebuild, .. settings.Repositories]
            : stage.Before is null ? [rebuild]
            : [rebuild, stage.Before];
        foreach (var name in own)
        {
            if (!state.Repositories.TryGetValue(MasterState.RepositoryKey(name, architecture), out var held)
                || held.DatabaseSha256 is not { } digest)
            {
                // A stage is built from nothing but what is said of it.
                if (stage is not null) return null;
                continue;
            }

            repositories.Add(new SnapshotRepository
            {
                Name = name,
                DatabaseSha256 = digest,
                DatabaseBytes = held.DatabaseBytes,
                Servers = [$"/repo/{name}/os/{architecture}"],
            });
        }

        foreach (var outside in settings.Outside.Where(one => stage is null || stage.Seeds.Contains(one.Name)))
        {
            if (!state.Outside.TryGetValue(MasterState.RepositoryKey(outside.Name, architecture), out var pinned))
                return null;
            repositories.Add(new SnapshotRepository
            {
                Name = outside.Name,
                DatabaseSha256 = pinned.Sha256,
                DatabaseBytes = pinned.Bytes,
                Servers = [.. outside.Servers.Select(s => ServerOf(s, outside.Name, architecture))],
            });
        }

        return new SnapshotDocument
        {
            Id = IdOf(architecture, repositories),
            Architecture = architecture,
            Repositories = repositories.ToImmutable(),
        };
    }

    /// <summary>All that builds are offered: for each architecture, and for each rebuild.</summary>
    public static IEnumerable<(SnapshotDocument Snapshot, string? Rebuild)> Current(MasterState state)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var architecture in state.Settings?.Architectures ?? [])
        {
            foreach (var rebuild in state.Rebuilds.Keys.Prepend(null))
            {
                if (Of(state, architecture, rebuild) is { } snapshot && seen.Add(snapshot.Id))
                    yield return (snapshot, rebuild);
            }
        }
    }

    /// <summary>Notes the snapshots that builds are offered from now on, and those that are not any more.</summary>
    internal static MasterState Offer(MasterState state, DateTimeOffset time)
    {
        if (state.Settings is null) return state;
        var current = Current(state).ToDictionary(one => one.Snapshot.Id, StringComparer.Ordinal);
        var records = state.Snapshots.ToBuilder();
        foreach (var (id, record) in state.Snapshots)
        {
            if (record.Until is null && !current.ContainsKey(id)) records[id] = record with { Until = time };
        }

        foreach (var (id, (snapshot, rebuild)) in current)
        {
            if (!records.TryGetValue(id, out var record) || record.Until is not null)
                records[id] = new SnapshotRecord(snapshot.Architecture, time, null) { Rebuild = rebuild };
        }

        if (records.Count > MasterState.MaxSnapshots)
        {
            // In a large farm there are a thousand within minutes, and builds that take hours.
            var inUse = InUse(state);
            var forgotten = records.Where(r => r.Value.Until is not null && !inUse.Contains(r.Key))
                .OrderBy(r => r.Value.Until).ThenBy(r => r.Key, StringComparer.Ordinal)
                .Take(records.Count - MasterState.MaxSnapshots);
            foreach (var (id, _) in forgotten.ToList()) records.Remove(id);
        }

        return state with { Snapshots = records.ToImmutable() };
    }

    /// <summary>The snapshots that something is built against, or will be.</summary>
    internal static HashSet<string> InUse(MasterState state)
    {
        var used = state.Building.Select(id => state.Jobs[id].Snapshot).OfType<string>()
            .ToHashSet(StringComparer.Ordinal);
        if (state.Settings is { Independent.IsEmpty: true }) return used;
        used.UnionWith(state.Building.Concat(state.Ready).Select(id => state.Jobs[id].Pinned).OfType<string>());
        return used;
    }

    /// <summary>
    /// Why a build against this snapshot does not count for a job: only those count that were offered while the job was
    /// ready. Null when it does.
    /// </summary>
    public static string? FindFault(MasterState state, Planning.Job job, string snapshot)
    {
        if (!state.Snapshots.TryGetValue(snapshot, out var record))
            return "it was built against a snapshot that was never offered";
        if (snapshot == job.Pinned) return null;
        if (record.Architecture != state.Settings!.ArchitectureOf(job))
            return $"it was built against a snapshot of {record.Architecture}";
        // As long as a side repository held nothing yet its rebuild was offered what all are.
        var isRight = record.Rebuild == job.Rebuild
            || (!job.IsStaged && record.Rebuild is null && state.Repositories.Values
                .Where(repository => repository.Name == job.Rebuild)
                .All(repository => repository.Packages.Values.All(package => package.Since > job.ReadyAt)));
        if (!isRight) return "it was built against the repositories of another rebuild, or without those of its own";
        if (record.Until is { } until && job.ReadyAt is { } ready && until < ready)
            return "it was built against a snapshot from before the job was ready";
        return null;
    }

    /// <summary>A <c>Server =</c> line with <c>$repo</c> and <c>$arch</c> filled in, without a slash at its
    /// end.</summary>
    public static string ServerOf(string server, string repository, string architecture) =>
        server.Replace("$repo", repository, StringComparison.Ordinal)
            .Replace("$arch", architecture, StringComparison.Ordinal)
            .TrimEnd('/');

    /// <summary>
    /// SHA-256 over the lines <c>ARCH</c> and, for each repository, <c>NAME DIGEST</c>: anybody can check that a
    /// snapshot is what its id says.
    /// </summary>
    public static string IdOf(string architecture, IEnumerable<SnapshotRepository> repositories)
    {
        var text = new StringBuilder().Append(architecture).Append('\n');
        foreach (var repository in repositories)
            text.Append(repository.Name).Append(' ').Append(repository.DatabaseSha256).Append('\n');
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
