using System.Collections.Immutable;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>
/// The largest part of some packages that can move together: begin with all that would replace nothing newer, and leave
/// behind whoever breaks something, until nothing is broken.
/// </summary>
public static class MoveClosure
{
    /// <summary>Of those that stay no more than so many are tried once more by themselves.</summary>
    private const int MaxSecondTries = 50;

    /// <summary>Which of some package bases go, and why the others stay.</summary>
    /// <param name="state">The state before.</param>
    /// <param name="bases">The package bases.</param>
    /// <param name="from">The repository that holds them.</param>
    /// <param name="to">The repository that they are to go to.</param>
    public static (SortedSet<string> Goes, ImmutableArray<(string Pkgbase, string Why)> Stays) Find(
        MasterState state, IEnumerable<string> bases, string from, string to)
    {
        var goes = new SortedSet<string>(bases, StringComparer.Ordinal);
        var older = MoveCheck.FindNewer(Moves.ChangeOf(state, goes, from, to), to)
            .DistinctBy(one => one.Pkgbase).ToList();
        goes.ExceptWith(older.Select(one => one.Pkgbase));
        var stays = new SortedDictionary<string, string>(StringComparer.Ordinal);
        while (goes.Count > 0)
        {
            var leave = LeaveBehind(state, [.. goes], from, to);
            if (leave.Count == 0) break;
            foreach (var (pkgbase, why) in leave)
            {
                goes.Remove(pkgbase);
                stays[pkgbase] = why;
            }
        }

        // Of two that exclude each other both may have been left behind: one can still go.
        var tries = stays.Keys.Take(MaxSecondTries).ToList();
        while (tries.Find(pkgbase => LeaveBehind(state, [.. goes, pkgbase], from, to).Count == 0) is { } more)
        {
            goes.Add(more);
            stays.Remove(more);
            tries.Remove(more);
        }

        foreach (var (pkgbase, why) in older) stays[pkgbase] = why;
        return (goes, [.. stays.Select(pair => (pair.Key, pair.Value))]);
    }

    /// <summary>Who must stay. First those that take away what others need, who cannot help it; only where there is
    /// nobody of that kind those that lack something.</summary>
    private static Dictionary<string, string> LeaveBehind(
        MasterState state, HashSet<string> goes, string from, string to)
    {
        var change = Moves.ChangeOf(state, goes, from, to);
        var broken = MoveCheck.FindBroken(state, change, from);
        var takers = new Dictionary<string, string>(StringComparer.Ordinal);
        var lacking = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (repository, _, need) in broken)
        {
            if (need.IsNew && goes.Contains(need.Package.Pkgbase))
                lacking[need.Package.Pkgbase] = $"{need.Package.Name} needs {need.What}, which {repository} lacks";
            else if (TakerOf(change, need) is { } taker)
                takers[taker] = $"{need.Package.Name} in {repository} needs {need.What}, which would be gone";
            else
                foreach (var pkgbase in goes) lacking[pkgbase] = $"{need.Package.Name} would lack {need.What}";
        }

        return takers.Count > 0 ? takers : lacking;
    }

    /// <summary>Which moving package base takes the place of whoever satisfied a need.</summary>
    private static string? TakerOf(ImmutableArray<Replacement> change, BrokenNeed need) => need.Lost is { } lost
        ? change.Where(one => one.Name == lost.Name)
            .Select(one => one.After?.Pkgbase ?? one.Before?.Pkgbase).OfType<string>().FirstOrDefault()
        : null;
}
