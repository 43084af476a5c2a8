using System.Text;
using System.Text.Json.Nodes;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Node;

namespace Quarters.Master.Tests;

/// <summary>What a live master serves is as schema/ says.</summary>
public class SchemaTests
{
    [Fact]
    public async Task Every_document_of_a_live_master_is_valid()
    {
        await using var farm = await TestFarm.StartAsync();
        farm.Source.Commit("zlib 1.3-1 glibc", "pigz 2.7-1 zlib", "alone 1-1 nowhere", "breaks 1-1 glibc");
        var zlib = await farm.QueuedAsync("zlib");
        var breaks = await farm.QueuedAsync("breaks");
        var claim = new Claim { Job = breaks.Id, Attempt = 1, Phase = ClaimPhase.Building, Since = default };
        farm.Anna.Say([claim], []);
        await farm.JobAsync(breaks.Id, job => job.Status == JobStatus.Building, "breaks is building");
        var file = farm.Anna.Present(zlib, TestFarm.FileName(zlib), TestFarm.Package(zlib));
        farm.Anna.Say([claim], [TestFarm.Built(zlib, file)]);
        var pigz = await farm.QueuedAsync("pigz");
        farm.Anna.Say(
            [],
            [
                TestFarm.Built(breaks) with
                {
                    Outcome = ResultOutcome.Failed,
                    Failure = new BuildFailure { Stage = "build", Kind = FailureKind.Package, Message = "it broke" },
                },
            ]);
        await farm.JobAsync(breaks.Id, job => job.Attempts.Length > 0, "breaks has an attempt that ended");

        var links = JsonNode.Parse(await GetAsync(farm, "v1/node.json"))!["links"]!.AsObject()
            .Select(link => link.Value!.GetValue<string>().TrimStart('/'))
            .Where(path => path.EndsWith(".json", StringComparison.Ordinal));
        string[] paths =
        [
            .. links, "v1/node.json", "v1/state.json", "v1/queue.json", "v1/builders.json", $"v1/jobs/{zlib.Id}.json",
            $"v1/jobs/{breaks.Id}.json", $"v1/jobs/{pigz.Id}.json", "v1/packages/zlib.json", "v1/packages/breaks.json",
            "v1/packages/alone.json", $"snapshot/{pigz.Snapshot}/snapshot.json",
        ];
        foreach (var path in paths.Distinct(StringComparer.Ordinal))
            Assert.Empty(await ServedDocument.ErrorsAsync(await GetAsync(farm, path), TestFarm.Token));
    }

    [Theory]
    [InlineData("jobs", "\"none\"")]
    [InlineData("revision", "null")]
    [InlineData("revision", "\"1\"")]
    [InlineData("schema", "\"quarters/queue/2\"")]
    [InlineData("jobs", "[{}]")]
    public async Task A_broken_document_is_refused(string member, string value)
    {
        await using var farm = await TestFarm.StartAsync();
        var queue = JsonNode.Parse(await GetAsync(farm, "v1/queue.json"))!;
        queue["unknown"] = "is ignored";
        Assert.Empty(await ServedDocument.ErrorsAsync(Encoding.UTF8.GetBytes(queue.ToJsonString()), TestFarm.Token));
        queue[member] = JsonNode.Parse(value);
        Assert.NotEmpty(await ServedDocument.ErrorsAsync(Encoding.UTF8.GetBytes(queue.ToJsonString()), TestFarm.Token));
    }

    private static async Task<byte[]> GetAsync(TestFarm farm, string path)
    {
        var pulled = await farm.Puller.GetDocumentAsync(
            new Uri(farm.Master.Address, path), null, TimeSpan.Zero, 1 << 24, TestFarm.Token);
        Assert.True(pulled is PullResult.Document, $"{path}: {pulled}");
        return ((PullResult.Document)pulled).Bytes;
    }
}
