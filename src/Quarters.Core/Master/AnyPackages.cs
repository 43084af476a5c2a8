namespace Quarters.Core.Master;

/// <summary>Packages for any architecture stand in the repositories of all, although they are built once.</summary>
internal static class AnyPackages
{
    /// <summary>Gives an architecture that is new the packages that the others have already.</summary>
    public static void Spread(Transition transition, MasterSettings? before)
    {
        if (before is null) return;
        foreach (var architecture in transition.Settings!.Architectures.Except(before.Architectures))
        {
            foreach (var repository in transition.Repositories.Values.ToList())
            {
                if (!before.Architectures.Contains(repository.Architecture)) continue;
                var key = MasterState.RepositoryKey(repository.Name, architecture);
                var known = transition.Repositories.GetValueOrDefault(key)?.Packages;
                // What a package base yields for any beside packages for one architecture is built with those.
                transition.AddToRepository(
                    repository.Name, architecture,
                    [.. repository.Packages.Values.Where(
                        p => p.Architecture == "any" && known?.ContainsKey(p.Name) != true
                            && transition.Packages.GetValueOrDefault(p.Pkgbase)?.Source?.Architectures.Contains("any")
                                != false)]);
            }
        }
    }
}
