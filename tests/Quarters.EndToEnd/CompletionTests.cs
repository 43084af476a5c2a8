using Quarters.Linux.Processes;

namespace Quarters.EndToEnd;

/// <summary>What the shells make of what <c>quarters completion</c> prints.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("quarters-completion-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Bash_completes_commands()
    {
        var script = await ScriptAsync("bash", "completion.bash");

        var completed = await RunAsync("bash", "-c", $$"""
            source "{{script}}"
            COMP_WORDS=(quarters st) COMP_CWORD=1 COMP_LINE="quarters st" COMP_POINT=11
            _quarters
            printf '%s\n' "${COMPREPLY[@]}"
            """);

        Assert.Equal("status", completed.Trim());
    }

    [Fact]
    public async Task Fish_completes_commands_and_options_but_not_those_of_another_system()
    {
        var script = await ScriptAsync("fish", "quarters.fish");

        var completed = await RunAsync("fish", "--no-config", "-c", $$"""
            source "{{script}}"
            complete -C "quarters repo ver"
            complete -C "quarters build --no"
            complete -C "quarters status /"
            """);

        Assert.Equal(["verify", "--nocheck"], completed.Split('\n').TakeWhile(line => !line.StartsWith('/')));
        Assert.DoesNotContain("/?", completed, StringComparison.Ordinal);
    }

    /// <summary>A zsh at a terminal of its own, for it completes nowhere else.</summary>
    [Theory]
    [InlineData("source {0}/_quarters")]
    [InlineData("true")] // It is found in fpath.
    public async Task Zsh_completes_commands(string load)
    {
        await ScriptAsync("zsh", "_quarters");
        load = load.Replace("{0}", _directory, StringComparison.Ordinal);

        var completed = await RunAsync("zsh", "-f", "-c", $$"""
            zmodload zsh/zpty
            TERM=dumb zpty terminal zsh -f -i
            zpty -w terminal 'fpath+=({{_directory}}); autoload -U compinit; compinit -u -D; {{load}}; PS1=RE"AD"Y'
            zpty -r terminal said '*READY*'
            zpty -n -w terminal $'quarters repo ver\t'
            zpty -r terminal said '*repo verify*'
            print completed
            """);

        Assert.Equal("completed", completed.Trim());
    }

    private async Task<string> ScriptAsync(string shell, string name)
    {
        var script = Path.Combine(_directory, name);
        await File.WriteAllTextAsync(
            script, await RunAsync(BuiltProgram.Location, "completion", shell), TestContext.Current.CancellationToken);
        return script;
    }

    /// <summary>Runs a program that finds <c>quarters</c> in its PATH.</summary>
    private async Task<string> RunAsync(string program, params string[] arguments)
    {
        var path = $"{Path.GetDirectoryName(BuiltProgram.Location)}:{Environment.GetEnvironmentVariable("PATH")}";
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = program,
                Arguments = arguments,
                WorkingDirectory = _directory,
                Environment = new Dictionary<string, string> { ["PATH"] = path, ["HOME"] = _directory },
                Timeout = TimeSpan.FromMinutes(2),
            },
            TestContext.Current.CancellationToken);
        Assert.True(result.Succeeded, $"{program} {result.Ending}: {result.StandardOutput}{result.StandardError}");
        return result.StandardOutput;
    }
}
