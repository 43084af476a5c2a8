namespace Quarters.Sources.Upstreams;

/// <summary>The repository of an upstream, as it is followed.</summary>
internal interface IUpstreamRepository
{
    /// <summary>What stands for the newest state of a branch, without fetching anything.</summary>
    /// <param name="branch">Null for what makepkg takes when none is said.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="SourceUnreachableException">It does not answer, or has no such branch.</exception>
    Task<string> NewestAsync(string? branch, CancellationToken cancellationToken);

    /// <summary>Brings what is kept of it here up to date.</summary>
    /// <exception cref="SourceUnreachableException">It cannot be fetched.</exception>
    Task FetchAsync(CancellationToken cancellationToken);

    /// <summary>Puts a state of it into a new directory, as makepkg would, for anybody to read.</summary>
    /// <exception cref="SourceUnreachableException">It has no such state.</exception>
    Task CheckOutAsync(string commit, string destination, CancellationToken cancellationToken);
}
