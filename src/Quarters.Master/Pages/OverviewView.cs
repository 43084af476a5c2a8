using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Master.Pages;

/// <summary>The farm at a glance: a few lines of each list, and the way to the rest.</summary>
internal sealed record OverviewView : View
{
    /// <summary>The line for pacman.conf that takes the certificate besides those of the system.</summary>
    public const string TrustCertificate = "XferCommand = /usr/bin/curl "
        + "--capath /etc/ssl/certs --cacert /etc/pacman.d/quarters.pem -fL -C - -o %o %u";

    /// <summary>Rows of each list; more is a link away.</summary>
    private const int Rows = 10;

    private OverviewView(PageInput input) : base(input, "Overview")
    {
        Section = "overview";
        Refreshes = true;
        Feeds =
        [
            FeedLink.Failures, .. (input.State.Settings?.Repositories ?? []).Select(FeedLink.OfRepository),
        ];
    }

    /// <summary>Packages by status.</summary>
    public required StatusCounts Counts { get; init; }

    /// <summary>What needs an operator's decision.</summary>
    public required ImmutableArray<string> Advice { get; init; }

    /// <summary>The rebuilds, and stages of bootstraps, that are under way: the latest.</summary>
    public required ImmutableArray<Rebuild> Rebuilds { get; init; }

    /// <summary>What builds now.</summary>
    public required ImmutableArray<BuildingRow> Building { get; init; }

    /// <summary>The first of the queue.</summary>
    public required ImmutableArray<ReadyRow> Ready { get; init; }

    /// <summary>The latest failures.</summary>
    public required JobTable Failed { get; init; }

    /// <summary>Packages that cannot be read, the latest first.</summary>
    public required ImmutableArray<UnreadablePackage> Unreadable { get; init; }

    /// <summary>What was built last.</summary>
    public required JobTable Built { get; init; }

    /// <summary>Our own repositories, in pacman's order of precedence.</summary>
    public required ImmutableArray<RepositoryState> Repositories { get; init; }

    /// <summary>The repositories of others that builds install from.</summary>
    public required ImmutableArray<OutsideRow> Outside { get; init; }

    /// <summary>The lines for pacman.conf. Packages are not signed; pacman checks them against the database.</summary>
    public string PacmanConf => string.Join("\n\n", Repositories
        .Select(repository => repository.Name)
        .Distinct(StringComparer.Ordinal)
        .Select(name => $"[{name}]\nSigLevel = Optional TrustAll\nServer = {Base}/repo/$repo/os/$arch"));

    /// <summary>Whether the address has a certificate to speak of.</summary>
    public bool HasCertificate => Input.Address.Scheme == Uri.UriSchemeHttps;

    /// <summary>The commands that fetch the certificate and print its key.</summary>
    public string FetchCertificate =>
        $"openssl s_client -connect {Input.Address.IdnHost}:{Input.Address.Port} </dev/null 2>/dev/null"
        + " | openssl x509 -out /etc/pacman.d/quarters.pem\n"
        + "openssl x509 -in /etc/pacman.d/quarters.pem -noout -pubkey | openssl pkey -pubin -outform der | sha256sum";

    /// <summary>The key as that command prints it.</summary>
    public string KeyHex => Input.PublicKey[(Input.PublicKey.IndexOf(':', StringComparison.Ordinal) + 1)..];

    private string Base => Input.Address.AbsoluteUri.TrimEnd('/');

    /// <summary>The state as this page shows it.</summary>
    public static OverviewView Of(PageInput input)
    {
        var state = input.State;
        return new OverviewView(input)
        {
            Counts = Projection.Count(state),
            Advice = [.. LostLibraries.Tell(state).Take(Rows)],
            Rebuilds = [.. state.Rebuilds.Values.OrderByDescending(rebuild => rebuild.Begun).Take(Rows)],
            Building =
            [
                .. state.Building.Select(id => state.Jobs[id]).OrderBy(job => job.Since).Take(JobsView.MaxBuilding)
                    .Select(job => new BuildingRow(Projection.Summary(state, job), input.ClaimOf(job))),
            ],
            Ready =
            [
                .. Projection.ReadyJobs(state).Take(Rows)
                    .Select(ready => new ReadyRow(Projection.Summary(state, ready.Job), ready.Waiting)),
            ],
            Failed = new JobTable(Latest(state, state.Failed), input.Now)
            {
                LogOf = input.LogOf,
                ShowReason = true,
            },
            Unreadable = [.. state.Unreadable.Values.OrderByDescending(u => u.Time).Take(Rows)],
            Built = new JobTable(Latest(state, state.Built), input.Now) { LogOf = input.LogOf },
            Repositories = [.. OwnRepositories(state)],
            Outside = [.. OutsideRepositories(input)],
        };
    }

    /// <summary>What a builder said that it does, in words: jobs that are known here by their package.</summary>
    public string Does(BuilderStatus builder)
    {
        var drains = builder.Draining ? "drains; " : "";
        if (builder.Claims.IsEmpty) return builder.Error is null ? drains + "idle" : "–";
        var claims = builder.Claims.Take(Rows).Select(claim =>
        {
            var what = Input.State.Jobs.TryGetValue(claim.Job, out var job)
                ? job.Pkgbase
                : Wording.Clip(claim.Job, JobId.MaxLength);
            return claim.Phase switch
            {
                ClaimPhase.Building => $"builds {what}",
                ClaimPhase.Claimed => $"claims {what}",
                _ => $"next {what}",
            };
        });
        var more = builder.Claims.Length > Rows ? $" and {builder.Claims.Length - Rows} more" : "";
        return drains + string.Join(", ", claims) + more;
    }

    private static ImmutableArray<JobSummary> Latest(MasterState state, ImmutableSortedSet<Ended> ended) =>
        [.. ended.Take(Rows).Select(one => Projection.Summary(state, state.Jobs[one.Job]))];

    private static IEnumerable<RepositoryState> OwnRepositories(MasterState state) =>
        from name in state.Settings?.Repositories ?? []
        from architecture in state.Settings!.Architectures
        select state.Repositories.GetValueOrDefault(MasterState.RepositoryKey(name, architecture))
            ?? new RepositoryState { Name = name, Architecture = architecture };

    private static IEnumerable<OutsideRow> OutsideRepositories(PageInput input) =>
        from repository in input.State.Settings?.Outside ?? []
        from architecture in input.State.Settings!.Architectures
        let key = MasterState.RepositoryKey(repository.Name, architecture)
        select new OutsideRow(
            repository.Name, architecture,
            input.State.Outside.GetValueOrDefault(key), input.OutsideTroubles.GetValueOrDefault(key));
}

/// <summary>A repository of others.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Architecture">Its architecture.</param>
/// <param name="Pinned">Its database as pinned; null before it was fetched.</param>
/// <param name="Trouble">What was wrong when it was last looked at; null when nothing was.</param>
internal sealed record OutsideRow(string Name, string Architecture, PinnedRepository? Pinned, string? Trouble);

/// <summary>A job that builds, with its builder's own word.</summary>
internal sealed record BuildingRow(JobSummary Job, Claim? Claim);

/// <summary>A job that is ready, with how many jobs wait for it.</summary>
internal sealed record ReadyRow(JobSummary Job, int Waiting);
