using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master.Pages;

/// <summary>All that the pages are made of: what the journal holds, and what only this moment knows.</summary>
internal sealed record PageInput
{
    /// <summary>What the master knows.</summary>
    public required MasterState State { get; init; }

    /// <summary>The master's name.</summary>
    public required string Name { get; init; }

    /// <summary>The master's key, <c>sha256:HEX</c> of its SPKI: what its certificate must show.</summary>
    public required string PublicKey { get; init; }

    /// <summary>The base address under which others reach this master: <c>https://farm.example.org:8443</c>.</summary>
    public required Uri Address { get; init; }

    /// <summary>The sources and their last polls.</summary>
    public required ImmutableArray<SourceStatus> Sources { get; init; }

    /// <summary>The builders as last seen.</summary>
    public required ImmutableArray<BuilderStatus> Builders { get; init; }

    /// <summary>What is wrong with repositories of others, by <see cref="MasterState.RepositoryKey"/>.</summary>
    public required IReadOnlyDictionary<string, string> OutsideTroubles { get; init; }

    /// <summary>The time at which the page is true.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>What the builder of a job says that it does for it now; null when it says nothing.</summary>
    public Claim? ClaimOf(Job job) => Builders
        .Where(builder => builder.Name == job.Builder)
        .SelectMany(builder => builder.Claims)
        .FirstOrDefault(claim => claim.Job == job.Id && claim.Attempt == job.Attempt);

    /// <summary>Where the log of a job's attempt is: at its builder while it runs, here when it ended.</summary>
    public string LogOf(JobSummary job)
    {
        if (job.Status != JobStatus.Building) return Links.Log(job.Id, job.Attempt);
        var builder = Builders.FirstOrDefault(b => b.Name == job.Builder);
        return builder is not null && Uri.TryCreate(builder.Url, UriKind.Absolute, out var address)
            && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp)
            ? new Uri(address, Links.Log(job.Id, job.Attempt).TrimStart('/')).AbsoluteUri
            : Links.Log(job.Id, job.Attempt);
    }
}
