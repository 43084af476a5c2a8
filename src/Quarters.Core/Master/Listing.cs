namespace Quarters.Core.Master;

/// <summary>Who is listed as a builder. An event about a builder that is not listed changes nothing.</summary>
internal static class Listing
{
    /// <summary>Lists the builders of the configuration, and takes those off that it names no more.</summary>
    public static void Configure(Transition transition, MasterSettings settings)
    {
        foreach (var gone in transition.Builders.Values
            .Where(known => known.IsConfigured && settings.Builders.All(b => b.Name != known.Name)).ToList())
            Take(transition, gone.Name, "the configuration names it no more");
        foreach (var named in settings.Builders)
        {
            // What the configuration says goes before what an operator listed earlier under another name.
            foreach (var same in transition.Builders.Values
                .Where(known => known.PublicKey == named.PublicKey && known.Name != named.Name).ToList())
                Take(transition, same.Name, $"the configuration calls it {named.Name}");
            Enter(transition, named.Name, named.Url, named.PublicKey, isConfigured: true);
            var entered = transition.Builders[named.Name];
            if (entered.Description.Architectures.IsEmpty)
                transition.Builders[named.Name] = entered with
                {
                    Description = entered.Description with { Architectures = named.Architectures },
                };
        }
    }

    public static void List(Transition transition, BuilderListed listed) =>
        Enter(transition, listed.Name, listed.Url, listed.PublicKey, isConfigured: false);

    public static void Describe(Transition transition, BuilderDescribed described)
    {
        if (transition.Builders.TryGetValue(described.Name, out var known))
            transition.Builders[described.Name] = known with { Description = described.Description };
    }

    public static void Drain(Transition transition, BuilderDrained drained)
    {
        if (transition.Builders.TryGetValue(drained.Name, out var known))
            transition.Builders[drained.Name] = known with { Draining = drained.Draining };
    }

    public static void Remove(Transition transition, BuilderRemoved removed) =>
        Take(transition, removed.Name, "an operator took it off the list");

    private static void Enter(Transition transition, string name, string url, string key, bool isConfigured)
    {
        if (transition.Builders.TryGetValue(name, out var known) && known.PublicKey != key)
            Take(transition, name, "another key has its name now");
        transition.Builders[name] = transition.Builders.TryGetValue(name, out known)
            ? known with { Url = url, IsConfigured = isConfigured }
            : new BuilderRecord
            {
                Name = name,
                Url = url,
                PublicKey = key,
                IsConfigured = isConfigured,
                Since = transition.Time,
            };
    }

    /// <summary>Nobody waits for what it builds: those attempts are open anew.</summary>
    private static void Take(Transition transition, string name, string reason)
    {
        if (!transition.Builders.Remove(name)) return;
        foreach (var job in transition.BuildingJobs.Where(job => job.Builder == name).ToList())
            Attempts.Lose(
                transition, new ClaimLost(job.Id, job.Attempt, name, $"{name} is not listed: {reason}", Excused: true));
    }
}
