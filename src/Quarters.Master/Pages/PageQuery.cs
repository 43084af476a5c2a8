using System.Globalization;
using Quarters.Core.Planning;

namespace Quarters.Master.Pages;

/// <summary>What a list page is asked for. What makes no sense is taken as not asked.</summary>
internal sealed record PageQuery
{
    /// <summary>Rows on one page.</summary>
    public const int PageSize = 200;

    private const int MaxSearch = 100;

    /// <summary>Reads the values of <c>?q=</c>, <c>?status=</c> and <c>?page=</c>.</summary>
    public PageQuery(string? search, string? status, string? page)
    {
        Search = Wording.Clip(search?.Trim() ?? "", MaxSearch);
        Status = Enum.GetValues<JobStatus>().Cast<JobStatus?>().FirstOrDefault(s => Wording.Name(s!.Value) == status);
        Number = int.TryParse(page, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : 1;
    }

    /// <summary>The part of a name to look for; empty for all.</summary>
    public string Search { get; }

    /// <summary>The only status to show; null for all.</summary>
    public JobStatus? Status { get; }

    /// <summary>The page, from 1.</summary>
    public int Number { get; }

    /// <summary>Whether a name is asked for.</summary>
    internal bool Matches(string name) => name.Contains(Search, StringComparison.OrdinalIgnoreCase);
}

/// <summary>Where a list page stands among its pages.</summary>
/// <param name="Path">The list's path.</param>
/// <param name="Query">What was asked for.</param>
/// <param name="Total">Rows on all pages.</param>
internal sealed record Paging(string Path, PageQuery Query, int Total)
{
    /// <summary>How many pages there are, at least one.</summary>
    public int Pages => Math.Max(1, (Total + PageQuery.PageSize - 1) / PageQuery.PageSize);

    /// <summary>The page that is shown: the last when more was asked.</summary>
    public int Number => Math.Min(Query.Number, Pages);

    /// <summary>The rows of this page.</summary>
    public IEnumerable<T> Of<T>(IEnumerable<T> all) =>
        all.Skip((Number - 1) * PageQuery.PageSize).Take(PageQuery.PageSize);

    /// <summary>The address of a page of this list.</summary>
    public string Link(int number)
    {
        var search = Query.Search.Length == 0 ? "" : "&q=" + Uri.EscapeDataString(Query.Search);
        var status = Query.Status is { } asked ? "&status=" + Wording.Name(asked) : "";
        return $"{Path}?page={number}{status}{search}";
    }
}
