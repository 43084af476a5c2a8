using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Quarters.Core;
using Quarters.Core.Planning;
using Quarters.Node.Tests;

namespace Quarters.EndToEnd;

/// <summary>
/// The protocol page is enough to write a node in another language: <c>foreign-builder</c> beside this file, which is
/// bash and was written from that page, works in a farm beside a builder of ours.
/// </summary>
public sealed partial class ForeignBuilderTests : IAsyncLifetime
{
    private readonly LoopbackFarm _farm = new();
    private readonly int _ourPort = FreePort.Take();
    private readonly int _foreignPort = FreePort.Take();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _farm.DisposeAsync();

    [Fact]
    public async Task A_builder_written_from_the_protocol_page_alone_builds_beside_ours_and_nothing_is_built_twice()
    {
        await _farm.StartMasterAsync();
        await StartOursAsync();
        var foreignKey = await StartForeignAsync();
        await _farm.UntilAsync(
            async () => (await _farm.StatusAsync()).Builders is [{ LastSeen: not null }, { LastSeen: not null }],
            "the master has seen both");

        // While ours takes nothing new the first is the foreign one's; then they contend for what is left,
        await _farm.QuartersAsync("builders", "drain", "ours");
        await _farm.CommitAsync("amber", "birch", "cedar");
        await _farm.UntilAsync(
            async () => (await _farm.StatusAsync()).Counts.Building > 0, "the foreign builder builds");
        await _farm.QuartersAsync("builders", "drain", "ours", "--undo");
        await UntilBuiltAsync(3);
        // and when both are idle for the same.
        await _farm.CommitAsync("dogwood", "elder", "fir");
        await UntilBuiltAsync(6);

        List<Attempt> accepted = [];
        List<string> byForeign = [];
        foreach (var name in (string[])["amber", "birch", "cedar", "dogwood", "elder", "fir"])
        {
            var package = JsonSerializer.Deserialize(
                await _farm.CurlAsync($"/v1/packages/{name}.json"), QuartersJson.Default.PackageDocument)!;
            var job = JsonSerializer.Deserialize(
                await _farm.CurlAsync($"/v1/jobs/{Assert.Single(package.Jobs).Id}.json"),
                QuartersJson.Default.JobDocument)!;
            var attempt = Assert.Single(job.Job.Attempts);
            Assert.Equal((1, AttemptEnd.Accepted), (attempt.Number, attempt.End));
            accepted.Add(attempt);
            if (attempt.Builder == "foreign") byForeign.Add(name);
        }

        Assert.NotEmpty(byForeign);
        Assert.Contains(accepted, attempt => attempt.Builder == "ours");
        // No build was begun but those that were accepted.
        Assert.Equal(byForeign.Count, BuildBegun().Count(_farm.Said));
        Assert.Equal(
            accepted.Count - byForeign.Count,
            Directory.GetFiles(Path.Combine(_farm.Home, "ours", "state", "journal"), "*.jsonl")
                .Sum(segment => OurBuildBegun().Count(ReadShared(segment))));

        var root = Path.Combine(_farm.Home, "root");
        await _farm.PacmanAsync(root, ["-Sy", .. byForeign]);
        foreach (var name in byForeign)
        {
            var installed = Path.Combine(root, "usr", "share", name, "name");
            Assert.Equal(name + "\n", await File.ReadAllTextAsync(installed, Token));
        }

        // What was taken is forgotten.
        await _farm.UntilAsync(
            () => Task.FromResult(!Directory.EnumerateFileSystemEntries(
                Path.Combine(_farm.Home, "foreign", "tree", "out")).Any()),
            $"the foreign builder, {foreignKey}, has deleted what the master has");
    }

    private async Task StartOursAsync()
    {
        var line = await LoopbackFarm.RunAsync(
            BuiltProgram.Location, _farm.Home, "builder", "init", "ours", "--name", "ours", "--url",
            Invariant($"https://127.0.0.1:{_ourPort}/"), "--master", _farm.MasterUrl, "--master-key",
            _farm.MasterKey());
        var configuration = Path.Combine(_farm.Home, "ours", "builder.toml");
        await LoopbackFarm.EditAsync(configuration, "0.0.0.0:7374", Invariant($"127.0.0.1:{_ourPort}"));
        _farm.Start(BuiltProgram.Location, "builder", "--config", configuration);
        await _farm.QuartersAsync(line.Trim().Split(' ')[1..]);
    }

    private async Task<string> StartForeignAsync([CallerFilePath] string beside = "")
    {
        _farm.Start(
            Path.Combine(Path.GetDirectoryName(beside)!, "foreign-builder"), Path.Combine(_farm.Home, "foreign"),
            "foreign", Invariant($"{_foreignPort}"), _farm.MasterUrl, _farm.MasterKey());
        await _farm.UntilAsync(
            () => Task.FromResult(AddLine().IsMatch(_farm.Said)), "the foreign builder serves its documents");
        var line = AddLine().Match(_farm.Said).Value.Split(' ');
        await _farm.QuartersAsync(line[1..]);
        return line[^1];
    }

    private Task UntilBuiltAsync(int count) => _farm.UntilAsync(
        async () => (await _farm.StatusAsync()).Counts is { } counts && counts.Built == count
            && counts.Packages == count,
        $"{count} packages are built");

    private static string ReadShared(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex("^quarters builders add foreign .*$", RegexOptions.Multiline)]
    private static partial Regex AddLine();

    [GeneratedRegex("^[0-9:]+ builds ", RegexOptions.Multiline)]
    private static partial Regex BuildBegun();

    [GeneratedRegex("\"kind\":\"buildBegun\"")]
    private static partial Regex OurBuildBegun();
}
