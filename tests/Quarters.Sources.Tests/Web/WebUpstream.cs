using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Quarters.Linux.Processes;
using Quarters.Sources.Intake;
using Quarters.Sources.Tests.Contract;
using Quarters.Sources.Web;

namespace Quarters.Sources.Tests.Web;

/// <summary>Source packages behind a real nginx, with an index document; and as nginx lists them by itself.</summary>
internal sealed class WebUpstream : Upstream
{
    private readonly string _folder;
    private int _published;

    private WebUpstream(Workshop workshop)
        : base(workshop) => _folder = workshop.Files["web/packages"];

    internal NginxServer Server { get; private set; } = null!;

    internal override bool KnowsAuthors => true;

    internal static async Task<WebUpstream> CreateAsync(Workshop workshop)
    {
        var upstream = new WebUpstream(workshop);
        Directory.CreateDirectory(upstream._folder);
        Directory.CreateDirectory(upstream.Tree);
        upstream.Server = await NginxServer.StartAsync(workshop.Files["nginx"], $$"""
            location /packages/ { root {{workshop.Files["web"]}}; }
            location /json/ { alias {{upstream._folder}}/; autoindex on; autoindex_format json; }
            location /html/ { alias {{upstream._folder}}/; autoindex on; }
            """);
        return upstream;
    }

    internal override ISource Open(PackagerSettings packagers) => Open("packages/index.json", packagers);

    internal WebSource Open(string list, PackagerSettings packagers) => new(
        new WebSourceSettings
        {
            Name = "test",
            Url = new Uri(Server.Address, list),
            Repository = "core",
            Packagers = packagers,
            StateDirectory = Workshop.Files["state"],
        },
        Workshop.Intake,
        TimeProvider.System);

    /// <summary>Makes the archive of what is in a directory.</summary>
    internal async Task PackAsync(string archive, string directory, params string[] more)
    {
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = "bsdtar",
                Arguments = ["-caf", Path.Combine(_folder, archive), .. more, "-C", Tree, directory],
                Environment = new Dictionary<string, string>
                {
                    ["PATH"] = Environment.GetEnvironmentVariable("PATH")!,
                    ["LC_ALL"] = "C.UTF-8",
                },
            },
            TestContext.Current.CancellationToken);
        Assert.True(result.Succeeded, result.StandardError);
    }

    internal void WriteIndex(JsonArray packages)
    {
        var index = Path.Combine(_folder, "index.json");
        File.WriteAllText(
            index, new JsonObject { ["schema"] = WebIndex.Schema, ["packages"] = packages }.ToJsonString());
        // As if a day had passed: nginx tells two of the same size in one second from each other as little as we do.
        File.SetLastWriteTimeUtc(index, DateTime.UnixEpoch.AddDays(10_000 + _published));
    }

    internal string HashOf(string archive) =>
        Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(_folder, archive))));

    internal override async Task PublishAsync(string author = Ada)
    {
        _published++;
        var index = Path.Combine(_folder, "index.json");
        var before = File.Exists(index)
            ? JsonNode.Parse(await File.ReadAllTextAsync(index))!["packages"]!.AsArray()
            : [];
        var packages = new JsonArray();
        foreach (var package in Directory.GetDirectories(Tree).Select(path => Path.GetFileName(path)).Order())
        {
            var archive = $"{package}-{_published}-1.src.tar";
            await PackAsync(archive, package);
            var hash = HashOf(archive);
            var known = before.FirstOrDefault(
                one => (string)one!["name"]! == package && (string)one["sha256"]! == hash);
            packages.Add(known?.DeepClone() ?? new JsonObject
            {
                ["name"] = package,
                ["url"] = archive,
                ["sha256"] = hash,
                ["author"] = author,
                ["time"] = JsonSerializer.SerializeToNode(DateTimeOffset.UnixEpoch.AddDays(_published)),
            });
        }

        WriteIndex(packages);
    }

    internal override Task RewriteAsync() => PublishAsync();

    internal override Task BreakAsync() => Server.StopAsync();

    internal override Task MendAsync() => Server.StartAsync();

    public override async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await base.DisposeAsync();
    }
}
