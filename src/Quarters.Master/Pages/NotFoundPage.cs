using static Quarters.Master.Pages.Html;

namespace Quarters.Master.Pages;

/// <summary>How it looks where there is nothing.</summary>
internal static class NotFoundPage
{
    public static Html Body(NotFoundView view) => H(
        $"""
        <h1>Not found</h1>
        <p>There is no page at this address.</p>
        {Each(view.Hints, hint => H($"""<p class="reason">{Wording.Clip(hint, Wording.LongReason)}</p>"""))}
        <p><a href="/packages">Search the packages</a> or go to the <a href="/">overview</a>.</p>
        """);
}
