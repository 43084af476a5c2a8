using System.Collections.Immutable;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>Packages that go on by themselves: after their time in a repository without anybody holding them.</summary>
public static class Promotions
{
    /// <summary>The next move that is due: of one repository, the largest part of what is due there that breaks
    /// nothing. Nothing when none is.</summary>
    public static ImmutableArray<MasterEvent> Due(MasterState state, DateTimeOffset now)
    {
        foreach (var promotion in state.Settings?.Promotions ?? [])
        {
            if (promotion.AfterSeconds is not { } seconds) continue;
            var since = now - TimeSpan.FromSeconds(seconds);
            var due = state.Repositories.Values.Where(repository => repository.Name == promotion.From)
                .SelectMany(repository => repository.Packages.Values)
                .GroupBy(package => package.Pkgbase, StringComparer.Ordinal)
                .Where(packages => IsDue(state, packages, since)).Select(packages => packages.Key).ToList();
            if (due.Count == 0) continue;
            var goes = MoveClosure.Find(state, due, promotion.From, promotion.To).Goes;
            if (goes.Count == 0) continue;
            return
            [
                new RepositoriesChanged(
                    Moves.ChangeOf(state, goes, promotion.From, promotion.To),
                    $"{Moves.Few(goes)} went on from {promotion.From} to {promotion.To}, as configured"),
            ];
        }

        return [];
    }

    /// <summary>Why a package base does not go on although its time comes: what is newer where it would go to; a
    /// sentence each.</summary>
    internal static IEnumerable<string> Why(MasterState state, SourcePackage source)
    {
        foreach (var promotion in state.Settings?.Promotions ?? [])
        {
            if (promotion.AfterSeconds is null) continue;
            var change =
                from architecture in state.Settings!.Architectures
                let held = state.Repositories.GetValueOrDefault(MasterState.RepositoryKey(promotion.From, architecture))
                let there = state.Repositories.GetValueOrDefault(MasterState.RepositoryKey(promotion.To, architecture))
                where held is not null && there is not null
                from output in source.Packages
                let package = held.Packages.GetValueOrDefault(output.Name)
                where package?.Pkgbase == source.Pkgbase
                select new Replacement(
                    promotion.To, architecture, output.Name, there.Packages.GetValueOrDefault(output.Name), package);
            foreach (var why in MoveCheck.FindNewer([.. change], promotion.To).Select(one => one.Why).Distinct())
                yield return $"{source.Pkgbase} does not go on from {promotion.From} to {promotion.To}: {why}.";
        }
    }

    private static bool IsDue(
        MasterState state, IGrouping<string, RepositoryPackage> packages, DateTimeOffset since)
    {
        var record = state.Packages.GetValueOrDefault(packages.Key);
        return record?.Held is null && !(record?.Released > since) && packages.All(package => package.Since <= since);
    }
}
