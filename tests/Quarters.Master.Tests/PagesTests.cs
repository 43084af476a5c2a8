using AngleSharp.Dom;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Tests;

namespace Quarters.Master.Tests;

public class PagesTests
{
    private readonly SampleFarm _farm = new();
    private readonly Browser _browser;

    public PagesTests() => _browser = new Browser(_farm.Input);

    [Fact]
    public void The_overview_counts_the_packages_and_each_number_leads_to_as_many()
    {
        var counts = _browser.Open("/").QuerySelectorAll(".counts a");
        Assert.Equal(
            ["packages", "building", "ready", "blocked", "failed", "built"],
            counts.Select(a => Browser.Text(a).Split(' ')[1]));
        foreach (var count in counts)
        {
            var number = int.Parse(count.QuerySelector("b")!.TextContent);
            Assert.NotEqual(0, number);
            Assert.Equal(number, _browser.Open(count.GetAttribute("href")!).QuerySelectorAll("tbody tr").Length);
        }
    }

    [Fact]
    public void The_overview_says_what_builds_at_which_stage_since_when_and_leads_to_the_live_log()
    {
        var page = _browser.Open("/");
        var rows = Browser.Rows(page, "building");
        Assert.Equal(["openssl", "3.5.1-1", "x86_64", "check", "1 min 39 s", "anna", "details live log"], rows[0]);
        Assert.Equal(["jq", "1.7.1-2", "x86_64", "dependencies", "38 s", "bert", "details live log"], rows[1]);
        Assert.Contains($"https://anna.example.net:8444/v1/logs/{_farm.Job("openssl").Id}.1.log", Browser.Links(page));
    }

    [Fact]
    public void The_overview_names_the_reason_of_a_failure_and_leads_to_its_log()
    {
        var page = _browser.Open("/");
        var row = Assert.Single(Browser.Rows(page, "failed"), row => row[0] == "libarchive");
        Assert.Contains("2 tests of 4,532 failed", row[3], StringComparison.Ordinal);
        Assert.Contains($"/v1/logs/{_farm.Job("libarchive").Id}.1.log", Browser.Links(page));
        var unreadable = Assert.Single(Browser.Rows(page, "failed"), row => row[0] == "ttf-broken");
        Assert.Contains("syntax error near unexpected token", unreadable[1], StringComparison.Ordinal);
    }

    [Fact]
    public void The_overview_shows_the_best_of_the_queue_first_and_why_something_is_tried_again()
    {
        var rows = Browser.Rows(_browser.Open("/"), "ready");
        Assert.Equal(_farm.Ready.Take(rows.Count), rows.Select(row => row[0]));
        var tcl = Assert.Single(rows, row => row[0] == "tcl");
        Assert.Contains("stopped after 3 tries", tcl[4], StringComparison.Ordinal);
    }

    [Fact]
    public void The_overview_tells_of_sources_and_builders_what_they_cost_and_what_is_wrong_with_them()
    {
        var page = _browser.Open("/");
        var sources = Browser.Rows(page, "sources");
        Assert.Equal(
            ["main", "git", "40", "42 s ago", "0.3 s", "3 last time, 1204 in all", "9c1f0ea6b1e6"], sources[0]);
        var error = Assert.Single(sources[2]);
        Assert.StartsWith("the directory packages-local is not there", error, StringComparison.Ordinal);

        var builders = Browser.Rows(page, "builders");
        Assert.Equal(["anna", "2 s ago", "builds openssl, next lib32-zlib-1.3.1-1-x86_64-00000000"], builders[0][..3]);
        Assert.Equal(["cleo", "3 days ago", "–"], builders[2][..3]);
        Assert.Contains("8444 refused", Assert.Single(builders[3]), StringComparison.Ordinal);
    }

    [Fact]
    public void The_overview_tells_of_a_library_that_went_away_and_of_nothing_when_none_did()
    {
        Assert.Null(_browser.Open("/").QuerySelector("section[aria-labelledby=advice]"));
        var lost = new LostLibrary
        {
            Soname = "libonig.so=5-64",
            Architecture = "x86_64",
            Pkgbase = "oniguruma",
            Version = "6.9.10-1",
            Since = _farm.Input.Now,
            Dependents = ["jq"],
        };
        var state = _farm.State with { Lost = _farm.State.Lost.Add("one", lost) };
        var page = new Browser(_farm.Input with { State = state }).Open("/");
        Assert.Equal(
            "oniguruma has libonig.so=5-64 no more since 6.9.10-1, and jq is linked with it; build them again: "
            + "quarters rebuild oniguruma-soname --soname libonig.so=5-64",
            Browser.Text(page.QuerySelector("section[aria-labelledby=advice] li")!));
    }

    [Fact]
    public void The_lines_for_pacman_conf_are_there_to_paste()
    {
        var lines = _browser.Open("/").QuerySelector("section[aria-labelledby=repositories] pre")!.TextContent;
        Assert.Equal(
            "[core]\nSigLevel = Optional TrustAll\nServer = https://farm.example.org:8443/repo/$repo/os/$arch", lines);
    }

    [Fact]
    public void A_repository_of_others_that_cannot_be_looked_at_says_why()
    {
        var troubles = new Dictionary<string, string> { ["base/x86_64"] = "no answer" };
        var page = new Browser(_farm.Input with { OutsideTroubles = troubles }).Open("/");
        var rows = Browser.Rows(page, "repositories");
        Assert.Equal(["core", "x86_64", "29"], rows[0][..3]);
        Assert.Equal(["base", "x86_64", "5"], rows[1][..3]);
        Assert.Equal(["no answer"], rows[2]);
    }

    [Fact]
    public void The_certificate_is_explained_where_there_is_one()
    {
        var blocks = _browser.Open("/").QuerySelectorAll("details pre").Select(pre => pre.TextContent).ToList();
        Assert.Contains("-connect farm.example.org:8443 ", blocks[0], StringComparison.Ordinal);
        Assert.Equal(_farm.Input.PublicKey, "sha256:" + blocks[1]);
        var plain = new Browser(_farm.Input with { Address = new Uri("http://127.0.0.1:8080") });
        Assert.Empty(plain.Open("/").QuerySelectorAll("details"));
    }

    [Fact]
    public void A_farm_that_has_nothing_yet_has_pages_too()
    {
        var input = _farm.Input with { State = Core.Master.MasterState.Empty, Sources = [], Builders = [] };
        var pages = new Browser(input).OpenAll();
        Assert.All(
            pages.Where(pair => pair.Key != "/nowhere"), pair => Assert.NotNull(pair.Value.QuerySelector(".none")));
        Assert.Contains("No builder is listed", pages["/"].Body!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void A_package_says_why_it_is_not_built_and_who_provides_what_it_needs()
    {
        var page = _browser.Open("/packages/pacman");
        var why = page.QuerySelector(".why")!.TextContent;
        Assert.Contains("libarchive comes from libarchive, which failed", why, StringComparison.Ordinal);
        var needs = Needs("pacman");
        Assert.Equal(["curl", "to build", "curl curl=8.15.0-1", "blocked"], needs[0]);
        Assert.Equal(["libarchive", "to build", "libarchive libarchive=3.8.1-1", "failed"], needs[1]);
        Assert.Equal(["gpgme", "to build", "gpgme gpgme=2.0.0-1", "in core"], needs[2]);
        Assert.Contains("/packages/libarchive", Browser.Links(page));
        Assert.Equal(["perl", "to build", "perl=5.42.0-1", "in base"], Needs("openssl")[0]);
        Assert.Equal(["rust>=1.80", "to build", "nobody"], Needs("which-rs")[0]);
    }

    [Fact]
    public void A_built_package_lists_its_files_and_a_provision_leads_to_its_package()
    {
        var page = _browser.Open("/packages/oniguruma");
        Assert.Contains("/repo/core/os/x86_64/oniguruma-6.9.10-1-x86_64.pkg.tar.zst", Browser.Links(page));
        Assert.Equal("libonig.so=5-64", Needs("jq")[0][0]);
        Assert.Contains("/packages/oniguruma", Browser.Links(_browser.Open("/packages/jq")));
    }

    [Fact]
    public void A_package_that_cannot_be_read_has_a_page_with_the_words_of_bash()
    {
        var page = _browser.Open("/packages/ttf-broken");
        Assert.Equal("failed", page.QuerySelector("h1 .status")!.TextContent);
        Assert.Contains("unexpected token `('", page.QuerySelector(".why")!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void Packages_are_found_by_a_part_of_their_name_and_by_status()
    {
        Assert.Equal(
            ["libassuan", "libgcrypt", "libgpg-error", "libpsl", "zlib"], Names("/packages?q=LIB&status=built"));
        Assert.Equal(["libarchive", "ttf-broken"], Names("/packages?status=failed"));
        Assert.Empty(Names("/packages?q=no-such-thing"));
        Assert.Equal(Names("/packages"), Names("/packages?status=nonsense&page=-1"));
        var form = _browser.Open("/packages?q=LIB&status=built");
        Assert.Equal("LIB", form.QuerySelector("#q")!.GetAttribute("value"));
        Assert.Equal("built", Assert.Single(form.QuerySelectorAll("option[selected]")).GetAttribute("value"));
    }

    [Fact]
    public void Many_packages_are_shown_two_hundred_a_page_and_the_pages_hold_each_once()
    {
        var many = new Farm();
        many.Commit([.. Enumerable.Range(0, 450).Select(i => $"p{i:000} 1-1")]);
        var big = new Browser(_farm.Input with { State = many.State });
        var names = new List<string>();
        var target = "/packages?q=p&status=ready";
        for (var page = big.Open(target); ; page = big.Open(target))
        {
            names.AddRange(page.QuerySelectorAll("tbody th").Select(Browser.Text));
            if (page.QuerySelector("a[rel=next]") is not { } next) break;
            target = next.GetAttribute("href")!;
        }

        Assert.Equal(Enumerable.Range(0, 450).Select(i => $"p{i:000}"), names);
        Assert.EndsWith("page=3&status=ready&q=p", target, StringComparison.Ordinal);
        Assert.Equal(50, big.Open("/packages?page=99").QuerySelectorAll("tbody th").Length);
        Assert.Equal(10, Browser.Rows(big.Open("/"), "ready").Count);
        Assert.Contains("All 450 ready jobs", big.Open("/").Body!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_job_shows_what_its_phases_cost_and_the_end_of_its_log_without_colour_codes()
    {
        var job = _farm.Job("libarchive");
        var page = _browser.Open("/jobs/" + job.Id);
        var phases = page.QuerySelectorAll(".phases tbody tr");
        Assert.Equal(
            ["root", "dependencies", "sources", "prepare", "build", "check", "package"],
            phases.Select(row => row.Children[0].TextContent));
        Assert.Equal(["build", "1 min 0 s", "", "1 min 56 s", "812 MiB"], phases[4].Children.Select(Browser.Text));
        var bars = page.QuerySelectorAll(".bar rect");
        Assert.Equal("0%", bars[0].GetAttribute("x"));
        Assert.InRange(bars.Sum(Width), 99, 102);
        var log = page.QuerySelector("pre.log")!.TextContent;
        Assert.Contains("==> ERROR: A failure occurred in check().\n    Aborting...", log, StringComparison.Ordinal);
        Assert.Contains("\n  old and new mtime differ\n", log, StringComparison.Ordinal);
        Assert.Contains($"/v1/logs/{job.Id}.1.log", Browser.Links(page));

        static double Width(IElement bar) =>
            double.Parse(bar.GetAttribute("width")!.TrimEnd('%'), System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public void Only_what_moves_is_read_again_by_itself()
    {
        Assert.Equal("30", Refresh("/"));
        Assert.Equal("30", Refresh("/jobs/" + _farm.Job("openssl").Id));
        Assert.Null(Refresh("/jobs/" + _farm.Job("libarchive").Id));
        Assert.Null(Refresh("/packages"));

        string? Refresh(string target) =>
            _browser.Open(target).QuerySelector("meta[http-equiv=refresh]")?.GetAttribute("content");
    }

    [Fact]
    public void Jobs_are_listed_by_status_and_without_one_those_that_are_not_done()
    {
        Assert.Equal(["openssl", "jq"], Names("/jobs?status=building"));
        Assert.Equal(_farm.Ready, Names("/jobs?status=ready"));
        Assert.Equal(_farm.State.Jobs.Values.Count(job => job.Status != JobStatus.Built), Names("/jobs").Length);
        Assert.Equal("expat", Names("/jobs?status=built")[0]);
    }

    [Fact]
    public void A_repository_lists_its_packages_with_their_files()
    {
        var page = _browser.Open("/repositories/core/x86_64?q=zl");
        Assert.Equal(["zlib"], page.QuerySelectorAll("tbody th").Select(Browser.Text));
        Assert.Contains("/repo/core/os/x86_64/zlib-1%3A1.3.1-2-x86_64.pkg.tar.zst", Browser.Links(page));
    }

    [Theory]
    [InlineData("/packages/rust", "wanted by which-rs")]
    [InlineData("/packages/a/b", "There is no page")]
    [InlineData("/jobs/none-1-1-any-00000000", "no job of this id")]
    [InlineData("/repositories/extra/x86_64", "no repository of this name")]
    [InlineData("/favicon.ico", "There is no page")]
    public void What_is_not_there_is_a_page_that_helps_with_status_404(string target, string hint) =>
        Assert.Contains(hint, _browser.Open(target, 404).QuerySelector("main")!.TextContent, StringComparison.Ordinal);

    [Fact]
    public void A_page_is_small_however_many_packages_there_are()
    {
        var many = new Farm();
        many.Commit(["package-0 1-1", .. Enumerable.Range(1, 2999).Select(i => $"package-{i} 1-1 package-0")]);
        var big = new Browser(_farm.Input with { State = many.State });
        foreach (var target in (string[])["/", "/packages", "/jobs", "/packages/package-0", "/jobs?status=blocked"])
            Assert.InRange(big.Get(target).Bytes.Length, 1, 200_000);
    }

    private string[] Names(string target) =>
        [.. _browser.Open(target).QuerySelectorAll("tbody th").Select(Browser.Text)];

    private List<string[]> Needs(string pkgbase) =>
        Browser.Rows(_browser.Open("/packages/" + pkgbase), "dependencies");
}
