using Quarters.Sources.Plugins;

namespace Quarters.Sources.Tests.Plugins;

public sealed class PluginSourceTests : IDisposable
{
    private readonly Workshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private PluginSource Open(string script, Func<PluginSourceSettings, PluginSourceSettings>? change = null)
    {
        _workshop.Files.Write("plugin", "#!/bin/bash\n" + script);
        File.SetUnixFileMode(_workshop.Files["plugin"],
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var settings = new PluginSourceSettings
        {
            Name = "own",
            Command = [_workshop.Files["plugin"], _workshop.Files["packages"]],
            Repository = "core",
            StateDirectory = _workshop.Files["state"],
        };
        return new PluginSource(change?.Invoke(settings) ?? settings, _workshop.Intake);
    }

    private void Package(string name, string version = "1") =>
        _workshop.Files.Write($"packages/{name}/PKGBUILD", TestTrees.Text(Path.GetFileName(name), version));

    [Fact]
    public async Task A_plug_in_that_says_what_changed_gets_its_cursor_back()
    {
        Package("alpha");
        Package("beta");
        var source = Open("""
            case $QUARTERS_CURSOR in
            "")
              mkdir -p copy && cp -r "$1/beta" copy
              who='"time":"2024-05-06T07:08:09Z","author":"Ada <ada@example.org>"'
              echo "{\"package\":\"x/alpha\",\"directory\":\"$1/alpha\",\"revision\":\"7\",$who}"
              echo '{"package":"x/beta","directory":"copy/beta"}'; echo '{"cursor":"one two"}' ;;
            "one two")
              echo '{"removed":"x/alpha"}'; echo '{"cursor":"three"}' ;;
            three) echo '{"cursor":"three"}' ;;
            esac
            """);

        var first = await source.PollAsync(null, Stop);
        Assert.Equal(["alpha", "beta"], first.Changed.Select(package => package.Pkgbase));
        Assert.True(first.Complete);
        var alpha = first.Changed[0];
        Assert.Equal(
            ("x/alpha", "7", "Ada <ada@example.org>"), (alpha.Origin.Path, alpha.Origin.Revision, alpha.Packager));
        Assert.Equal(new DateTimeOffset(2024, 5, 6, 7, 8, 9, TimeSpan.Zero), alpha.Origin.Time);

        var second = await source.PollAsync(first.Cursor, Stop);
        Assert.Equal(["x/alpha"], second.RemovedPaths);
        Assert.Equal((1, 0, false), (second.Total, second.Parsed, second.Complete));

        var third = await source.PollAsync(second.Cursor, Stop);
        Assert.Equal(second.Cursor, third.Cursor);
        Assert.False(Directory.Exists(_workshop.Files["state/own.work"]));
    }

    [Fact]
    public async Task Of_a_complete_list_only_what_differs_is_reported()
    {
        foreach (var name in new[] { "changed", "kept", "removed" })
            Package(name);
        var source = Open("""
            for directory in "$1"/*; do
              echo "{\"package\":\"${directory##*/}\",\"directory\":\"$directory\",\"time\":\"2024-05-06T07:08:09Z\"}"
            done
            echo '{"cursor":"","complete":true}'
            """);
        var first = await source.PollAsync(null, Stop);

        Package("changed", "2");
        Package("added");
        Directory.Delete(_workshop.Files["packages/removed"], recursive: true);
        var second = await source.PollAsync(first.Cursor, Stop);

        Assert.Equal(["added", "changed"], second.Changed.Select(package => package.Pkgbase));
        Assert.Equal(["removed"], second.RemovedPaths);
        Assert.NotEqual(first.Cursor, second.Cursor);
        Assert.Equal(second.Cursor, (await source.PollAsync(second.Cursor, Stop)).Cursor);
    }

    [Fact]
    public async Task A_package_that_did_not_change_gets_the_name_that_another_one_gives_up()
    {
        Package("a");
        _workshop.Files.Write("packages/b/PKGBUILD", TestTrees.Text("a", "2"));
        var source = Open("""
            if [[ -z $QUARTERS_CURSOR ]]; then
              for name in a b; do
                echo "{\"package\":\"$name\",\"directory\":\"$1/$name\",\"revision\":\"r$name\"}"
              done
            else
              echo '{"removed":"a"}'
            fi
            echo '{"cursor":"x"}'
            """);
        var first = await source.PollAsync(null, Stop);
        Assert.Equal(("a", "b"), (first.Changed.Single().Origin.Path, first.Unreadable.Single().Path));

        var second = await source.PollAsync(first.Cursor, Stop);

        var risen = second.Changed.Single();
        Assert.Equal(("a", "2-1", "b", "rb"), (risen.Pkgbase, risen.Version, risen.Origin.Path, risen.Origin.Revision));
    }

    [Theory]
    [InlineData("echo out of coffee >&2; exit 3", "exited with code 3: out of coffee")]
    [InlineData("echo '<html>'", "line 1 that is not a JSON object")]
    [InlineData("echo '{\"package\":\"a\",\"files\":[]}'", "line 1 that is not a JSON object")]
    [InlineData("echo '{\"package\":\"../a\",\"directory\":\".\"}'", "line 1 that has a path that is not one")]
    [InlineData("echo '{\"cursor\":\"1\"}'; echo '{\"removed\":\"a\"}'", "line 2 that stands behind the cursor")]
    [InlineData("echo '{\"removed\":\"a\"}'", "ended without {\"cursor\"")]
    [InlineData("yes '{\"removed\":\"a\"}'", "wrote more output than it may")]
    [InlineData("echo asleep >&2; exec sleep 1000", "its time was over: asleep")]
    public async Task One_that_is_broken_is_a_source_that_cannot_be_reached(string script, string words)
    {
        var source = Open(script, settings => settings with
        {
            MaxOutputBytes = 1 << 20,
            Timeout = script.Contains("sleep", StringComparison.Ordinal)
                ? TimeSpan.FromMilliseconds(300)
                : TimeSpan.FromMinutes(1),
        });

        var refused = await Assert.ThrowsAsync<SourceUnreachableException>(() => source.PollAsync(null, Stop));

        Assert.Contains(words, refused.Message, StringComparison.Ordinal);
        Assert.Contains(_workshop.Files["plugin"], refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_is_not_there_is_a_source_that_cannot_be_reached()
    {
        var source = Open("", settings => settings with { Command = ["/no/such/program"] });

        await Assert.ThrowsAsync<SourceUnreachableException>(() => source.PollAsync(null, Stop));
    }
}
