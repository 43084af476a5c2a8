using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>Packages that were not built here come into one of our repositories.</summary>
public static class Adoptions
{
    /// <summary>So many lines tell what stands in the way.</summary>
    private const int MaxLines = 100;

    /// <summary>What to journal for an adoption whose packages were read and checked. Nothing when it was settled
    /// before.</summary>
    /// <param name="state">The state to judge it against.</param>
    /// <param name="signal">The signal.</param>
    /// <param name="packages">What its repository holds.</param>
    /// <param name="problems">What is wrong with that repository; none when all of it may come.</param>
    public static ImmutableArray<MasterEvent> Settle(
        MasterState state, AdoptRepository signal, IReadOnlyCollection<RepositoryPackage> packages,
        IReadOnlyCollection<string> problems)
    {
        if (state.Signals.ContainsKey(signal.Id)) return [];
        if (FindFault(state, signal.Into) is { } fault) return [new SignalSettled(signal, fault)];
        if (problems.Count > 0) return [Refused(signal, $"{signal.Path} is not in order", problems)];
        var replacements = Replacements(state, signal.Into, packages);
        var foreign = packages.Where(p => ArchitecturesOf(state, p).IsEmpty)
            .Select(p => $"{p.FileName} is for {p.Architecture}, which is not built here").ToList();
        if (foreign.Count > 0) return [Refused(signal, "some packages have no place here", foreign)];
        var there = replacements.Where(r => r.Before is { } before && before.Sha256 != r.After!.Sha256)
            .Select(r => $"{r.Key()} holds {r.Name} {r.Before!.Version}; {r.After!.Version} would take its place")
            .ToList();
        if (there.Count > 0) return [Refused(signal, $"{signal.Into} holds some of these packages already", there)];
        var come = replacements.Where(r => r.Before is null).ToImmutableArray();
        return come.IsEmpty
            ? [new SignalSettled(signal, null)]
            :
            [
                new RepositoriesChanged(
                    come, $"{packages.Count} packages of {signal.Path} came into {signal.Into}"),
                new SignalSettled(signal, null)
                {
                    Details =
                    [
                        $"{packages.Count} packages are in {signal.Into} now; "
                            + $"revision {state.Revision + 1} takes it back",
                    ],
                },
            ];
    }

    /// <summary>Why nothing can be adopted into a repository; null when it can.</summary>
    public static string? FindFault(MasterState state, string target) =>
        state.Settings is not { } settings ? "the master is not configured yet"
        : settings.Repositories.Contains(target) ? null
        : $"there is no repository {target} here; there are {string.Join(", ", settings.Repositories)}";

    /// <summary>The architectures of ours whose repositories a package enters; none when it has no place
    /// here.</summary>
    private static ImmutableArray<string> ArchitecturesOf(MasterState state, RepositoryPackage package) =>
        package.Architecture == "any"
            ? state.Settings!.Architectures
            : [.. state.Settings!.Architectures.Where(a => a == package.Architecture)];

    private static ImmutableArray<Replacement> Replacements(
        MasterState state, string target, IEnumerable<RepositoryPackage> packages) =>
    [
        .. from package in packages
           from architecture in ArchitecturesOf(state, package)
           let before = state.Repositories.GetValueOrDefault(MasterState.RepositoryKey(target, architecture))
               ?.Packages.GetValueOrDefault(package.Name)
           select new Replacement(target, architecture, package.Name, before, package),
    ];

    private static SignalSettled Refused(AdoptRepository signal, string reason, IReadOnlyCollection<string> lines) =>
        new(signal, reason)
        {
            Details = lines.Count <= MaxLines
                ? [.. lines]
                : [.. lines.Take(MaxLines), $"and {lines.Count - MaxLines} more"],
        };
}
