using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using static Quarters.Master.Pages.Html;
using static Quarters.Master.Pages.Pieces;

namespace Quarters.Master.Pages;

/// <summary>Jobs as a table that several pages show.</summary>
/// <param name="Rows">The jobs.</param>
/// <param name="Now">The time at which the page is true.</param>
internal sealed record JobTable(ImmutableArray<JobSummary> Rows, DateTimeOffset Now)
{
    /// <summary>Where the log of a job's last attempt is.</summary>
    public required Func<JobSummary, string> LogOf { get; init; }

    /// <summary>Whether the package has a column: not where it is always the same.</summary>
    public bool ShowPackage { get; init; } = true;

    /// <summary>Whether the status has a column: not where all have the same.</summary>
    public bool ShowStatus { get; init; }

    /// <summary>Whether the reason has a column: not where there is none.</summary>
    public bool ShowReason { get; init; }

    /// <summary>The table.</summary>
    public Html ToHtml()
    {
        List<string> head = [.. ShowPackage ? ["Package"] : Array.Empty<string>(), "Version"];
        if (ShowStatus) head.Add("Status");
        head.Add("For|wide");
        if (ShowReason) head.Add("Why");
        head.AddRange(["Builder|wide", "Since", "Job"]);
        return Table(Head([.. head]), Each(Rows, Row), ShowReason ? "list" : "list bare");
    }

    private Html Row(JobSummary job) => H(
        $"""
        <tr>
        {(ShowPackage
            ? H($"""<th scope="row">{PackageLink(job.Pkgbase)}</th><td class="version">{job.Version}</td>""")
            : H($"""<th scope="row" class="version">{job.Version}</th>"""))}
        {When(ShowStatus, $"<td>{Status(job.Status)}</td>")}
        <td class="wide arch">{job.Architecture}</td>
        {(ShowReason ? ReasonCell(job.Reason) : Html.None)}
        <td class="wide who">{job.Builder}</td>
        <td class="when">{Ago(job.Since, Now)}</td>
        <td class="links">{JobLink(job.Id, $"{job.Pkgbase} {job.Version}")}
        {When(job is { Builder: not null, Status: JobStatus.Building or JobStatus.Built or JobStatus.Failed },
            $"""<a href="{LogOf(job)}" aria-label="Log of {job.Pkgbase} {job.Version}">log</a>""")}</td>
        </tr>

        """);
}
