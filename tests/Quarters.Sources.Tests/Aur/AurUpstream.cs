using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Quarters.Sources.Aur;
using Quarters.Sources.Intake;
using Quarters.Sources.Tests.Contract;
using Quarters.Sources.Tests.Git;
using Quarters.Sources.Tests.Web;

namespace Quarters.Sources.Tests.Aur;

/// <summary>A stand-in for the AUR: git's own server, a program that answers as the RPC does, and the archive of
/// metadata, all behind a real nginx.</summary>
internal sealed class AurUpstream : Upstream
{
    private readonly string _folder;
    private long _modified = 1_700_000_000;

    private AurUpstream(Workshop workshop)
        : base(workshop) => _folder = workshop.Files["aur"];

    internal NginxServer Server { get; private set; } = null!;

    internal override bool KnowsAuthors => true;

    internal AurSourceSettings Settings => new()
    {
        Name = "test",
        Url = Server.Address,
        ListFile = Path.Combine(_folder, "wanted"),
        Repository = "core",
        StateDirectory = Workshop.Files["state"],
    };

    internal static async Task<AurUpstream> CreateAsync(Workshop workshop)
    {
        var upstream = new AurUpstream(workshop);
        Directory.CreateDirectory(Path.Combine(upstream._folder, "git"));
        Directory.CreateDirectory(upstream.Tree);
        upstream.Server = await NginxServer.StartAsync(workshop.Files["nginx"], $$"""
            location /rpc/ {
                fastcgi_pass PROGRAMS;
                fastcgi_param SCRIPT_FILENAME {{Checkout.PathOf("tests/Quarters.Sources.Tests/Aur/rpc.py")}};
                fastcgi_param REQUEST_URI $request_uri;
                fastcgi_param REQUEST_METHOD $request_method;
                fastcgi_param AUR_FOLDER {{upstream._folder}};
            }
            location ~ ^/[^/]+[.]git/ {
                fastcgi_pass PROGRAMS;
                fastcgi_param SCRIPT_FILENAME {{GitPrograms}}/git-http-backend;
                fastcgi_param GIT_PROJECT_ROOT {{upstream._folder}}/git;
                fastcgi_param GIT_HTTP_EXPORT_ALL 1;
                fastcgi_param PATH_INFO $uri;
                fastcgi_param QUERY_STRING $query_string;
                fastcgi_param REQUEST_METHOD $request_method;
                fastcgi_param CONTENT_TYPE $content_type;
                fastcgi_param CONTENT_LENGTH $content_length;
                fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
                fastcgi_param GIT_CONFIG_COUNT 1;
                fastcgi_param GIT_CONFIG_KEY_0 safe.directory;
                fastcgi_param GIT_CONFIG_VALUE_0 *;
            }
            location / { root {{upstream._folder}}; }
            """);
        return upstream;
    }

    private static string GitPrograms =>
        Directory.Exists("/usr/lib/git-core") ? "/usr/lib/git-core" : "/usr/libexec/git-core";

    internal override ISource Open(PackagerSettings packagers) => Open(Settings with { Packagers = packagers });

    internal AurSource Open(AurSourceSettings settings) => new(settings, Workshop.Intake, TimeProvider.System);

    /// <summary>The first questions are answered with "too many", and after how long to ask again.</summary>
    internal void BeBusy(int seconds, int questions) =>
        File.WriteAllText(Path.Combine(_folder, "busy"), $"{seconds} {questions}");

    /// <summary>The names that are asked for; after a publication all that there are.</summary>
    internal void Want(params string[] names) => File.WriteAllLines(Path.Combine(_folder, "wanted"), names);

    internal void BreakRepository(string name) =>
        Directory.Delete(Path.Combine(_folder, "git", name + ".git"), recursive: true);

    internal override async Task PublishAsync(string author = Ada)
    {
        var metadata = new JsonArray();
        var before = File.Exists(MetadataPath) ? JsonNode.Parse(await File.ReadAllTextAsync(MetadataPath))! : null;
        foreach (var package in Directory.GetDirectories(Tree).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(package);
            var isNew = await CommitAsync(name, author);
            var known = before?.AsArray().FirstOrDefault(one => (string)one!["Name"]! == name);
            metadata.Add(isNew || known is null ? Describe(package, ++_modified) : known.DeepClone());
        }

        await File.WriteAllTextAsync(MetadataPath, metadata.ToJsonString());
        var lines = string.Join(",\n", metadata.Select(one => one!.ToJsonString()));
        var archive = Path.Combine(_folder, "packages-meta-ext-v1.json.gz");
        await using (var gzip = new GZipStream(File.Create(archive), CompressionLevel.Fastest))
            await gzip.WriteAsync(Encoding.UTF8.GetBytes($"[\n{lines}\n]\n"));
        // Written a while ago, each a little later: a file of this very second has no mark that could be trusted.
        File.SetLastWriteTimeUtc(archive, DateTimeOffset.FromUnixTimeSeconds(_modified).UtcDateTime);
        Want([.. metadata.Select(one => (string)one!["Name"]!)]);
    }

    internal override async Task RewriteAsync()
    {
        Directory.Delete(Path.Combine(_folder, "git"), recursive: true);
        Directory.CreateDirectory(Path.Combine(_folder, "git"));
        await PublishAsync();
    }

    internal override Task BreakAsync() => Server.StopAsync();

    internal override Task MendAsync() => Server.StartAsync();

    public override async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await base.DisposeAsync();
    }

    private string MetadataPath => Path.Combine(_folder, "metadata.json");

    /// <returns>True when there was something to commit.</returns>
    private async Task<bool> CommitAsync(string name, string author)
    {
        var repository = Path.Combine(_folder, "git", name + ".git");
        var git = new GitRepository(Path.Combine(Tree, name));
        string[] here = ["--git-dir=" + repository, "--work-tree=" + git.Path];
        if (!Directory.Exists(repository))
            await git.RunAsync("init", "--quiet", "--bare", "--initial-branch=master", repository);
        await git.RunAsync([.. here, "add", "--all"]);
        if ((await git.RunAsync([.. here, "status", "--porcelain"])).Length == 0)
            return false;
        var at = author.IndexOf('<', StringComparison.Ordinal);
        await git.RunAsync(
            new Dictionary<string, string>
            {
                ["GIT_AUTHOR_NAME"] = author[..at].Trim(),
                ["GIT_AUTHOR_EMAIL"] = author[(at + 1)..^1],
                ["GIT_COMMITTER_NAME"] = "Committer",
                ["GIT_COMMITTER_EMAIL"] = "committer@example.org",
            },
            ReadOnlyMemory<byte>.Empty,
            [.. here, "commit", "--quiet", "-m", "change"]);
        return true;
    }

    /// <summary>What the AUR knows of a package: its members and their forms are those of real answers.</summary>
    private static JsonObject Describe(string package, long modified)
    {
        var text = File.ReadAllText(Path.Combine(package, "PKGBUILD"));
        JsonArray List(string field) => [.. Regex.Match(text, $@"^{field}=\((.*)\)$", RegexOptions.Multiline)
            .Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(word => JsonValue.Create(word.Trim('\'')))];
        var name = Path.GetFileName(package);
        return new JsonObject
        {
            ["ID"] = modified,
            ["Name"] = name,
            ["PackageBaseID"] = 1,
            ["PackageBase"] = name,
            ["Version"] = Regex.Match(text, "pkgver=(.*)").Groups[1].Value + "-1",
            ["Description"] = "A package",
            ["URL"] = null,
            ["NumVotes"] = int.Parse("0" + Regex.Match(text, "# votes ([0-9]+)").Groups[1].Value),
            ["Popularity"] = 0.5,
            ["OutOfDate"] = null,
            ["Maintainer"] = "ada",
            ["FirstSubmitted"] = 1_600_000_000,
            ["LastModified"] = modified,
            ["URLPath"] = $"/cgit/aur.git/snapshot/{name}.tar.gz",
            ["Depends"] = List("depends"),
            ["MakeDepends"] = List("makedepends"),
            ["Provides"] = List("provides"),
            ["License"] = new JsonArray("GPL"),
            ["Keywords"] = new JsonArray(),
        };
    }
}
