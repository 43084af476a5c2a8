namespace Quarters.Master.Pages;

/// <summary>What every page has.</summary>
/// <param name="Input">What it is made of.</param>
/// <param name="Title">Its title, before the master's name.</param>
internal abstract record View(PageInput Input, string Title)
{
    /// <summary>The entry of the navigation that it belongs to, as in <c>packages</c>; else empty.</summary>
    public string Section { get; init; } = "";

    /// <summary>Whether the browser should read it again every half minute.</summary>
    public bool Refreshes { get; init; }

    /// <summary>The time at which the page is true.</summary>
    public DateTimeOffset Now => Input.Now;
}
