using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using AngleSharp.Html.Parser;
using CsCheck;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;
using Quarters.Core.Tests;
using Quarters.Master.Pages;
using Quarters.Node;

namespace Quarters.Master.Tests;

/// <summary>The feeds, as a reader of RFC 4287 sees them.</summary>
public class FeedTests
{
    private const string Failures = "/feeds/failures.atom";
    private const string Core = "/feeds/repositories/core.atom";
    private const string Jane = "/feeds/packagers/jane%40example.org.atom";

    private static readonly XNamespace Atom = "http://www.w3.org/2005/Atom";

    private readonly SampleFarm _farm = new();

    [Fact]
    public void Every_feed_that_a_page_leads_to_is_there_and_is_valid()
    {
        var pages = new Browser(_farm.Input).OpenAll();
        var linked = pages.Values.SelectMany(page => page.QuerySelectorAll("link[rel=alternate]"))
            .Select(link => link.GetAttribute("href")!).ToHashSet(StringComparer.Ordinal);
        Assert.Equal([Failures, Jane, Core], linked.Order(StringComparer.Ordinal));
        foreach (var path in linked) CheckFeed(Read(_farm.Input, path));
        foreach (var page in (string[])["/", "/packages/zlib", "/repositories/core/x86_64"])
        {
            // What programs find people see, too.
            Assert.Equal(
                pages[page].QuerySelectorAll("link[rel=alternate]").Select(link => link.GetAttribute("href")),
                pages[page].QuerySelectorAll("a.feed").Select(link => link.GetAttribute("href")));
            Assert.Contains(Core, Browser.Links(pages[page]));
        }
    }

    [Fact]
    public void A_repositorys_feed_tells_what_was_published_the_newest_first()
    {
        var feed = Read(_farm.Input, Core);
        Assert.Equal("attic: repository core", feed.Element(Atom + "title")!.Value);
        var entries = feed.Elements(Atom + "entry").ToList();
        Assert.Equal(29, entries.Count);
        Assert.Equal("expat 2.7.1-1 for x86_64 is in core", entries[0].Element(Atom + "title")!.Value);
        Assert.Equal("ncurses 6.5-4 for x86_64 is in core", entries[^1].Element(Atom + "title")!.Value);
        Assert.Equal("Jane Doe", entries[0].Element(Atom + "author")!.Element(Atom + "name")!.Value);
        Assert.Equal(
            "https://farm.example.org:8443/jobs/" + _farm.Job("expat").Id,
            entries[0].Element(Atom + "link")!.Attribute("href")!.Value);
    }

    [Fact]
    public void A_rebuild_is_one_entry_that_leads_to_its_page()
    {
        _farm.Rebuild("zlib-ng");

        var entry = Assert.Single(
            Read(_farm.Input, Core).Elements(Atom + "entry"),
            one => one.Element(Atom + "title")!.Value.Contains("zlib-ng", StringComparison.Ordinal));

        Assert.Equal("The rebuild zlib-ng began: 3 packages", entry.Element(Atom + "title")!.Value);
        Assert.Equal(
            "https://farm.example.org:8443/rebuilds/zlib-ng",
            entry.Element(Atom + "link")!.Attribute("href")!.Value);
    }

    [Fact]
    public void The_feed_of_failures_says_why_and_leads_to_the_log()
    {
        var entries = Read(_farm.Input, Failures).Elements(Atom + "entry").ToList();
        Assert.Equal(
            ["libarchive 3.8.1-1 for x86_64 does not build", "ttf-broken cannot be read"],
            entries.Select(entry => entry.Element(Atom + "title")!.Value));
        var content = entries[0].Element(Atom + "content")!.Value;
        Assert.Contains("2 tests of 4,532 failed", content, StringComparison.Ordinal);
        Assert.Contains(
            $"https://farm.example.org:8443/v1/logs/{_farm.Job("libarchive").Id}.1.log", content,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/feeds/nothing.atom")]
    [InlineData("/feeds/.atom")]
    [InlineData("/feeds/failures")]
    [InlineData("/feeds/repositories/stable.atom")]
    [InlineData("/feeds/packagers/nobody@example.org.atom")]
    public void What_is_no_feed_is_not_there(string path) => new Browser(_farm.Input).Open(path, 404);

    [Fact]
    public void A_repository_and_a_packager_with_no_news_have_an_empty_feed()
    {
        var quiet = new Farm();
        quiet.Commit("zlib 1-1");
        foreach (var path in (string[])[Core, Jane, Failures])
        {
            var feed = Read(_farm.Input with { State = quiet.State }, path);
            CheckFeed(feed);
            Assert.Empty(feed.Elements(Atom + "entry"));
        }
    }

    [Fact]
    public void The_same_state_gives_the_same_bytes_whenever_it_is_asked_and_after_it_was_stored()
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(_farm.State, QuartersJson.Default.MasterState);
        var stored = JsonSerializer.Deserialize(json, QuartersJson.Default.MasterState)!;
        var later = _farm.Input with
        {
            State = MasterMachine.Restore(
                stored, pinned => _farm.State.Outside[$"{pinned.Name}/{pinned.Architecture}"].Index, _farm.Input.Now),
            Now = _farm.Input.Now.AddDays(3),
        };
        foreach (var path in (string[])[Core, Jane, Failures])
            Assert.Equal(new Browser(_farm.Input).Get(path).Bytes, new Browser(later).Get(path).Bytes);
    }

    [Fact]
    public void A_notice_has_the_same_name_in_every_feed_and_no_two_have_one()
    {
        var all = ((string[])[Core, Jane, Failures])
            .SelectMany(path => Read(_farm.Input, path).Elements(Atom + "entry"))
            .Select(entry => (Id: entry.Element(Atom + "id")!.Value, Title: entry.Element(Atom + "title")!.Value))
            .Distinct().ToList();
        Assert.Equal(31, all.Count);
        Assert.Equal(all.Count, all.DistinctBy(entry => entry.Id).Count());
    }

    [Fact]
    public void Whatever_packages_and_builders_say_is_text_and_the_feed_stays_valid() =>
        Gen.Char.Array[0, 40].Select(characters => new string(characters)).Sample(
            text => CheckHostile(text), iter: 300);

    [Theory]
    [InlineData("<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;]]>")]
    [InlineData("\0\u0001\u000B\u001B[31m\u007F\u0085\uFFFE\uFFFF")]
    [InlineData("\uD800 \uDC00 \uDBFF")]
    [InlineData("\u202Eabc\u2066 \U0001F4A9 \r\n\t ü")]
    public void Hostile_texts_are_held(string text) => CheckHostile(text);

    [Fact]
    public async Task A_reader_is_served_a_feed_over_https_and_told_when_nothing_is_new()
    {
        await using var master = await TestFarm.StartAsync();
        master.Source.Commit("zlib 1.3-1");
        var zlib = await master.QueuedAsync("zlib");
        using var reader = Reader(master);
        var (empty, tag) = await GetAsync(reader, "/feeds/repositories/quarters.atom");
        Assert.Empty(empty.Elements(Atom + "entry"));

        master.Anna.SayBuilt(zlib);
        await master.JobAsync(zlib.Id, job => job.Status == JobStatus.Built, "zlib is built");
        using var asked = new HttpRequestMessage(HttpMethod.Get, "/feeds/repositories/quarters.atom");
        asked.Headers.IfNoneMatch.Add(tag);
        using var answer = await reader.SendAsync(asked, TestFarm.Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("application/atom+xml", answer.Content.Headers.ContentType!.MediaType);
        var (feed, now) = await GetAsync(reader, "/feeds/repositories/quarters.atom");
        CheckFeed(feed);
        Assert.Equal(
            "zlib 1.3-1 for x86_64 is in quarters",
            Assert.Single(feed.Elements(Atom + "entry")).Element(Atom + "title")!.Value);
        using var again = new HttpRequestMessage(HttpMethod.Get, "/feeds/repositories/quarters.atom");
        again.Headers.IfNoneMatch.Add(now);
        using var same = await reader.SendAsync(again, TestFarm.Token);
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);

        // Its address is where it is.
        var self = feed.Elements(Atom + "link").Single(link => link.Attribute("rel")!.Value == "self");
        Assert.Equal(new Uri(master.Master.Address, "feeds/repositories/quarters.atom").ToString(),
            self.Attribute("href")!.Value);
    }

    [Fact]
    public async Task A_master_that_is_started_again_tells_the_same()
    {
        await using var master = await TestFarm.StartAsync();
        master.Settings = master.NewSettings();
        master.Source.Commit("zlib 1.3-1");
        var zlib = await master.QueuedAsync("zlib");
        master.Anna.SayBuilt(zlib);
        await master.JobAsync(zlib.Id, job => job.Status == JobStatus.Built, "zlib is built");
        string[] before, after;
        using (var reader = Reader(master)) before = await EntriesAsync(reader);
        await master.StopMasterAsync();
        foreach (var file in Directory.GetFiles(
            Path.Combine(master.State, "public", "repo", "quarters", "os", "x86_64"), "quarters.*"))
            File.Delete(file);
        await master.StartMasterAsync();
        using (var reader = Reader(master)) after = await EntriesAsync(reader);

        Assert.Single(before);
        Assert.Equal(before, after);

        // It listens elsewhere now, so that addresses are others; all else is the same.
        static async Task<string[]> EntriesAsync(HttpClient reader)
        {
            var (feed, _) = await GetAsync(reader, "/feeds/packagers/jane@example.org.atom");
            return [.. feed.Elements(Atom + "entry").Select(
                entry => entry.ToString().Replace(reader.BaseAddress!.Authority, "", StringComparison.Ordinal))];
        }
    }

    private static HttpClient Reader(TestFarm master)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            certificate is X509Certificate2 shown && NodeKey.Of(shown).Equals(master.Master.Key);
        return new HttpClient(handler) { BaseAddress = master.Master.Address };
    }

    private static async Task<(XElement Feed, EntityTagHeaderValue Tag)> GetAsync(HttpClient reader, string path)
    {
        using var answer = await reader.GetAsync(path, TestFarm.Token);
        answer.EnsureSuccessStatusCode();
        return (Parse(await answer.Content.ReadAsByteArrayAsync(TestFarm.Token)), answer.Headers.ETag!);
    }

    private void CheckHostile(string text)
    {
        var hostile = new Farm();
        var package = hostile.Package("main", "evil 1-1");
        hostile.Apply(new SourcePolled(new SourceReport
        {
            Source = "main",
            Cursor = "1",
            Changed = [package with { Version = "1-1" + text, Packager = text }],
            Unreadable =
            [
                new UnreadablePackage
                {
                    Path = "u", Name = "u" + text, Reason = text, Revision = "r", Time = hostile.Now,
                },
            ],
        }));
        hostile.Begin("evil");
        hostile.Apply(new AttemptFailed("anna", hostile.Result(hostile.Job("evil"), ResultOutcome.Failed) with
        {
            Failure = new BuildFailure { Stage = text, Kind = FailureKind.Package, Message = text },
        }));
        hostile.Apply(new RepositoriesChanged(
            [new Replacement("core", "x86_64", text, null, new RepositoryPackage
            {
                Name = text,
                Pkgbase = "evil",
                Version = text,
                Architecture = "x86_64",
                FileName = text,
                Sha256 = new string('a', 64),
                Bytes = 1,
            })],
            text));
        var input = _farm.Input with { State = hostile.State, Name = text };
        foreach (var name in hostile.State.Notices.Keys)
        {
            var feed = Read(input, Links.Feed(name));
            CheckFeed(feed);
            foreach (var content in feed.Descendants(Atom + "content"))
            {
                var html = new HtmlParser().ParseDocument(content.Value);
                Assert.Empty(html.QuerySelectorAll("script, img"));
                Assert.All(html.QuerySelectorAll("a"), a => Assert.StartsWith(
                    "https://farm.example.org:8443/", a.GetAttribute("href"), StringComparison.Ordinal));
            }
        }
    }

    private static XElement Read(PageInput input, string path)
    {
        var page = new Browser(input).Get(path);
        Assert.Equal((200, "application/atom+xml; charset=utf-8"), (page.Status, page.ContentType));
        return Parse(page.Bytes);
    }

    private static XElement Parse(byte[] bytes)
    {
        // Strict: no text that XML cannot hold, whatever would be lenient with it.
        using var reader = XmlReader.Create(
            new StringReader(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes)),
            new XmlReaderSettings { CheckCharacters = true, DtdProcessing = DtdProcessing.Prohibit });
        return XDocument.Load(reader).Root!;
    }

    /// <summary>What RFC 4287 asks of a feed (4.1.1), an entry (4.1.2), and their parts.</summary>
    private static void CheckFeed(XElement feed)
    {
        Assert.Equal(Atom + "feed", feed.Name);
        CheckCommon(feed);
        Assert.Single(feed.Elements(Atom + "author"));
        Assert.Single(feed.Elements(Atom + "link"), link => link.Attribute("rel")!.Value == "self");
        var entries = feed.Elements(Atom + "entry").ToList();
        foreach (var entry in entries)
        {
            CheckCommon(entry);
            Assert.Single(entry.Elements(Atom + "link"), link => link.Attribute("rel")!.Value == "alternate");
            Assert.Equal("html", Assert.Single(entry.Elements(Atom + "content")).Attribute("type")!.Value);
            Assert.True(TimeIn(entry, "published") <= TimeIn(entry, "updated"));
        }

        Assert.Equal(
            entries.Count,
            entries.Select(entry => entry.Element(Atom + "id")!.Value).Distinct(StringComparer.Ordinal).Count());
        var times = entries.Select(entry => TimeIn(entry, "updated")).ToList();
        Assert.Equal(times.OrderDescending(), times);
        if (times.Count > 0) Assert.Equal(times[0], TimeIn(feed, "updated"));
    }

    private static void CheckCommon(XElement element)
    {
        Assert.True(Uri.TryCreate(Assert.Single(element.Elements(Atom + "id")).Value, UriKind.Absolute, out _));
        Assert.Single(element.Elements(Atom + "title"));
        TimeIn(element, "updated");
        foreach (var author in element.Elements(Atom + "author")) Assert.Single(author.Elements(Atom + "name"));
        foreach (var link in element.Elements(Atom + "link"))
        {
            Assert.True(Uri.TryCreate(link.Attribute("href")!.Value, UriKind.Absolute, out var address));
            Assert.Equal("https", address.Scheme);
        }
    }

    private static DateTimeOffset TimeIn(XElement element, string name) => DateTimeOffset.ParseExact(
        Assert.Single(element.Elements(Atom + name)).Value, "yyyy-MM-dd'T'HH:mm:ss'Z'",
        CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
