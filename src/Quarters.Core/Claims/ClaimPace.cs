namespace Quarters.Core.Claims;

/// <summary>How fast claims go. Builders do well with the same; nothing but speed depends on it.</summary>
public sealed record ClaimPace
{
    /// <summary>The ring of builders that may claim a job doubles with each of these.</summary>
    public TimeSpan RingPeriod { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The most peers that are read before and after a claim is posted, however large the farm is.</summary>
    public int PeersAtMost { get; init; } = 5;

    /// <summary>A job that another has is not looked at again for so long, unless its attempt changes.</summary>
    public TimeSpan PassFor { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>After a look at a job that another has, an idle builder looks at the next after so long.</summary>
    public TimeSpan LookAgainAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A digest that is older is read again before anything is claimed on its word.</summary>
    public TimeSpan DigestFreshFor { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>A builder that others are expected to be before reads the digest again when it is older.</summary>
    public TimeSpan DigestWorthFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long before a build is expected to end the next job is reserved.</summary>
    public TimeSpan ReserveAhead { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>While it waits for a rival, a builder reads it again after so long.</summary>
    public TimeSpan ReadAgainAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A builder that could not be reached is not asked again for so long; what the master sees of it
    /// counts.</summary>
    public TimeSpan OutOfReachFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A claim that has come no further after so long is given up.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// A job is near the critical path when it, on the slowest builder, and the longest chain after it, on the fastest,
    /// take at least this part of what the farm has before it.
    /// </summary>
    public double NearCritical { get; init; } = 0.8;
}
