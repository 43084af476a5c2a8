using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using AngleSharp.Html.Dom;
using CsCheck;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Sources;
using Quarters.Core.Tests;
using Quarters.Master.Pages;

namespace Quarters.Master.Tests;

/// <summary>What holds for every page: it is safe, whole, and readable by everybody.</summary>
public partial class PagesHtmlTests
{
    private const string Hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;";

    // A name with a slash has no address, so that its page could not be looked at.
    private const string HostileName = "<img src=x onerror=alert(5)>\"'&amp;";

    private readonly SampleFarm _farm = new();

    [Fact]
    public void Every_page_that_is_linked_is_there_and_is_good_html()
    {
        var pages = new Browser(_farm.Input).OpenAll();
        Assert.True(pages.Count > 80, $"only {pages.Count} pages were reached");
        foreach (var (target, page) in pages) AssertGood(target, page);
    }

    [Fact]
    public void A_rebuild_has_a_page_that_the_overview_leads_to_while_it_is_under_way()
    {
        _farm.Rebuild("zlib-ng");

        var pages = new Browser(_farm.Input).OpenAll();

        var page = pages["/rebuilds/zlib-ng"];
        AssertGood("/rebuilds/zlib-ng", page);
        var rows = page.QuerySelectorAll("tbody tr")
            .Select(row => string.Join('|', row.Children.Select(cell => cell.TextContent.Trim())));
        Assert.Equal(
            [
                "curl||failed|its PKGBUILD has no pkgrel", "git||blocked|the source packages are being made",
                "pigz|2.8-2.1|blocked|the source packages are being made",
            ],
            rows);
        Assert.Contains("0 of 3, 1 failed", page.QuerySelector("dl")!.TextContent, StringComparison.Ordinal);
        Assert.Contains("quarters merge zlib-ng", page.QuerySelector("dl")!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void What_packages_and_peers_say_is_text_on_every_page_and_never_markup()
    {
        var input = HostileInput();
        var pages = new Browser(input).OpenAll();
        Assert.Contains(pages.Keys, target => target.StartsWith("/jobs/", StringComparison.Ordinal));
        foreach (var (target, page) in pages)
        {
            AssertGood(target, page);
            Assert.Empty(page.QuerySelectorAll("script, img[src=x]"));
            Assert.DoesNotContain(
                page.All.SelectMany(e => e.Attributes), a => a.Name.StartsWith("on", StringComparison.Ordinal));
        }

        foreach (var section in (string[])["failed", "sources", "builders"])
        {
            var text = pages["/"].QuerySelector($"section[aria-labelledby={section}]")!.TextContent;
            Assert.Contains(Hostile, text, StringComparison.Ordinal);
        }

        var search = new Browser(input).Open("/packages?q=" + Uri.EscapeDataString(Hostile));
        Assert.Equal(Hostile, search.QuerySelector("#q")!.GetAttribute("value"));
    }

    [Fact]
    public void Whatever_a_builder_calls_its_stage_is_shown_as_it_says() =>
        Gen.String[Gen.Char['!', '\u052F'], 1, 30].Sample(stage =>
        {
            var claim = _farm.Input.Builders[0].Claims[0] with { Stage = stage };
            var input = _farm.Input with { Builders = [_farm.Input.Builders[0] with { Claims = [claim] }] };
            var page = new Browser(input).Open("/jobs/" + claim.Job);
            var facts = page.QuerySelectorAll("section[aria-labelledby=now] dd");
            return facts[1].TextContent == Wording.Clip(stage, 40);
        }, iter: 200);

    [Fact]
    public void Texts_from_elsewhere_are_cut_and_cannot_turn_the_direction_of_writing()
    {
        Assert.Equal("ab…", Wording.Clip("abc", 2));
        Assert.Equal("a\uFFFDb\n", Wording.Clip("a\u202Eb\n", 10));
        Assert.Equal("a…", Wording.Clip("a\U0001F4A9", 2));
    }

    [Theory]
    [InlineData(0.2, "just now", "0.2 s")]
    [InlineData(59.9, "59 s ago", "59 s")]
    [InlineData(125, "2 min ago", "2 min 5 s")]
    [InlineData(3 * 3600 + 60, "3 h ago", "3 h 1 min")]
    [InlineData(50 * 3600, "2 days ago", "2 days 2 h")]
    [InlineData(-5, "just now", "0 s")]
    public void Times_are_told_in_words(double seconds, string ago, string duration)
    {
        Assert.Equal(ago, Wording.Ago(TimeSpan.FromSeconds(seconds)));
        Assert.Equal(duration, Wording.Duration(TimeSpan.FromSeconds(seconds)));
    }

    [Fact]
    public void Every_time_carries_the_exact_one()
    {
        var time = new Browser(_farm.Input).Open("/").QuerySelector("section[aria-labelledby=building] time")!;
        var since = DateTimeOffset.Parse(time.GetAttribute("datetime")!, CultureInfo.InvariantCulture);
        Assert.Equal(_farm.Job("openssl").Since, since);
    }

    /// <summary>WCAG 2.2, 1.4.3: text has a contrast of at least 4.5 to what it stands on.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Colours_can_be_told_apart_by_light_and_by_dark(int scheme)
    {
        var style = Encoding.UTF8.GetString(new Browser(_farm.Input).Get("/style.css").Bytes);
        var root = style.Split(":root {")[1 + scheme].Split('}')[0];
        var colours = Variable().Matches(root).ToDictionary(m => m.Groups[1].Value, m => Luminance(m.Groups[2].Value));
        foreach (var text in (string[])["text", "quiet", "link", "built", "building", "ready", "blocked", "failed"])
        {
            foreach (var ground in (string[])["page", "raised"])
            {
                var (one, other) = (colours[text] + 0.05, colours[ground] + 0.05);
                Assert.True(Math.Max(one, other) / Math.Min(one, other) >= 4.5, $"{text} on {ground}");
            }
        }
    }

    private static void AssertGood(string target, IHtmlDocument page)
    {
        Assert.True(page.Doctype is not null && page.DocumentElement.GetAttribute("lang") == "en", target);
        Assert.EndsWith("Quarters", page.Title!, StringComparison.Ordinal);
        Assert.Single(page.QuerySelectorAll("h1"));
        foreach (var landmark in (string[])["header", "nav", "main", "footer"])
            Assert.NotEmpty(page.QuerySelectorAll(landmark));
        Assert.Empty(page.QuerySelectorAll("[style], style, script, iframe, object"));
        Assert.All(
            page.QuerySelectorAll("[src], link"),
            e => Assert.Matches("^/[a-z]", e.GetAttribute("src") ?? e.GetAttribute("href")!));
        // Only the log of a running build is elsewhere: at its builder, whose address the owner configured.
        Assert.All(
            Browser.Links(page),
            link => Assert.Matches(@"^(/($|[a-z#])|#|https://[a-z]+\.example\.net:8444/v1/logs/)", link));
        Assert.All(page.QuerySelectorAll("th"), th => Assert.NotNull(th.GetAttribute("scope")));
        Assert.All(page.QuerySelectorAll("table"), table => Assert.NotEmpty(table.QuerySelectorAll("thead th")));
        Assert.All(
            page.QuerySelectorAll("input, select"),
            field => Assert.NotNull(page.QuerySelector($"label[for={field.Id}]")));
        Assert.All(
            page.QuerySelectorAll("a"), a => Assert.NotEqual("", Browser.Text(a) + a.GetAttribute("aria-label")));
        var ids = page.QuerySelectorAll("[id]").Select(e => e.Id).ToList();
        Assert.Equal(ids.Count, ids.Distinct(StringComparer.Ordinal).Count());
        Assert.All(
            page.QuerySelectorAll("[aria-labelledby]"), e => Assert.Contains(e.GetAttribute("aria-labelledby"), ids));
    }

    // Every text that can come from a package, a source or a peer, as hostile as a bug elsewhere could let it be.
    private PageInput HostileInput()
    {
        var hostile = new Farm();
        var source = hostile.Package("main", "evil 1-1");
        source = source with
        {
            Pkgbase = HostileName,
            Version = HostileName,
            Packager = Hostile,
            Packages = [source.Packages[0] with { Name = Hostile }],
            Dependencies = new BuildDependencies { Depends = [Hostile], Checkdepends = [Hostile + ">=1"] },
            Origin = source.Origin with
            {
                Location = "javascript:alert(3)//" + Hostile,
                Path = Hostile,
                Revision = Hostile,
            },
        };
        var failing = hostile.Package("main", "failing 1-1") with { Version = "1-1" + HostileName };
        hostile.Apply(new SourcePolled(new SourceReport
        {
            Source = "main",
            Cursor = Hostile,
            Changed = [source, failing],
            Unreadable =
            [
                new UnreadablePackage
                {
                    Path = "u", Name = HostileName + "u", Reason = Hostile, Revision = Hostile, Time = hostile.Now,
                },
            ],
        }));
        hostile.Begin("failing", Hostile);
        var phase = new PhaseCost
        {
            Phase = Hostile,
            ElapsedSeconds = double.NaN,
            CpuSeconds = -1,
            PeakMemoryBytes = long.MinValue,
        };
        hostile.Apply(new AttemptFailed(Hostile, hostile.Result(hostile.Job("failing"), ResultOutcome.Failed) with
        {
            Failure = new BuildFailure
            {
                Stage = Hostile,
                Kind = FailureKind.Package,
                Message = Hostile,
                LastLines = [Hostile, "</pre>" + Hostile],
            },
            Costs = [phase, phase with { ElapsedSeconds = double.PositiveInfinity }],
            Files = [new ResultFile(Hostile, -1, Hostile)],
        }));
        return _farm.Input with
        {
            State = hostile.State,
            Name = Hostile,
            PublicKey = Hostile,
            Sources =
            [
                new SourceStatus
                {
                    Name = Hostile, Kind = Hostile, Error = Hostile, Cursor = Hostile, LastPollSeconds = double.NaN,
                },
            ],
            Builders =
            [
                new BuilderStatus
                {
                    Name = Hostile, Url = "javascript:alert(4)" + Hostile, PublicKey = Hostile, Error = Hostile,
                    Claims =
                    [
                        new Claim
                        {
                            Job = Hostile, Attempt = -1, Phase = ClaimPhase.Building, Since = default, Stage = Hostile,
                        },
                    ],
                },
            ],
        };
    }

    private static double Luminance(string hex)
    {
        var channels = Enumerable.Range(0, 3).Select(i => Convert.ToInt32(hex.Substring(i * 2, 2), 16) / 255.0)
            .Select(c => c <= 0.04045 ? c / 12.92 : Math.Pow((c + 0.055) / 1.055, 2.4)).ToArray();
        return (0.2126 * channels[0]) + (0.7152 * channels[1]) + (0.0722 * channels[2]);
    }

    [GeneratedRegex("--([a-z]+): #([0-9a-f]{6});")]
    private static partial Regex Variable();
}
