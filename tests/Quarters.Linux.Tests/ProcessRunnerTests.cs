using System.Diagnostics;
using System.Globalization;
using System.Text;
using Quarters.Linux.Processes;

namespace Quarters.Linux.Tests;

public sealed class ProcessRunnerTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Both_streams_and_the_exit_code_come_back()
    {
        var result = await ProcessRunner.RunAsync(Shell("echo out; echo err >&2; exit 3"), Cancellation);

        Assert.Equal("out\n", result.StandardOutput);
        Assert.Equal("err\n", result.StandardError);
        Assert.Equal(3, result.ExitCode);
        Assert.Null(result.Signal);
        Assert.False(result.Succeeded);
        Assert.Equal("exited with code 3", result.Ending);
    }

    [Fact]
    public async Task Merged_streams_keep_the_order_in_which_they_were_written()
    {
        var spec = Shell("echo 1; echo 2 >&2; echo 3; echo 4 >&2") with { MergeStandardError = true };

        var result = await ProcessRunner.RunAsync(spec, Cancellation);

        Assert.Equal("1\n2\n3\n4\n", result.StandardOutput);
        Assert.Empty(result.StandardError);
    }

    [Fact]
    public async Task What_is_to_be_read_may_become_known_while_the_program_waits()
    {
        var input = new TaskCompletionSource<ReadOnlyMemory<byte>>();
        var begun = new TaskCompletionSource();
        var running = ProcessRunner.RunAsync(
            Shell("echo ready; cat") with { InputLater = input.Task, OnOutput = (_, _) => begun.TrySetResult() },
            Cancellation);
        await begun.Task.WaitAsync(Deadline, Cancellation);
        Assert.False(running.IsCompleted);

        input.SetResult("later"u8.ToArray());

        Assert.Equal("ready\nlater", (await running).StandardOutput);
    }

    [Fact]
    public async Task A_large_input_and_a_large_output_do_not_wait_for_each_other()
    {
        var input = new byte[3_000_001];
        new Random(1).NextBytes(input);

        var result = await ProcessRunner.RunAsync(new ProcessSpec { FileName = "cat", Input = input }, Cancellation);

        Assert.Equal(input, result.OutputBytes.ToArray());
    }

    [Fact]
    public async Task A_program_need_not_read_its_input()
    {
        var spec = new ProcessSpec { FileName = "true", Input = new byte[1_000_000] };

        var result = await ProcessRunner.RunAsync(spec, Cancellation);

        Assert.True(result.Succeeded);
    }

    [Fact]
    public async Task A_given_environment_is_the_whole_environment()
    {
        var spec = new ProcessSpec
        {
            FileName = "env",
            Environment = new Dictionary<string, string> { ["ONLY"] = "grüße" },
            WorkingDirectory = "/",
        };

        var result = await ProcessRunner.RunAsync(spec, Cancellation);

        Assert.Equal("ONLY=grüße\n", result.StandardOutput);
    }

    [Fact]
    public async Task It_starts_where_it_is_told_without_terminal_and_with_default_signals()
    {
        var spec = Shell("pwd; ps -o sid= -p $$ | tr -d ' '; echo $$; grep SigIgn /proc/self/status") with
        {
            WorkingDirectory = "/usr",
        };

        var result = await ProcessRunner.RunAsync(spec, Cancellation);

        var lines = result.StandardOutput.Split('\n');
        Assert.Equal("/usr", lines[0]);
        Assert.Equal(lines[1], lines[2]);
        Assert.Equal("SigIgn:\t0000000000000000", lines[3]);
    }

    [Fact]
    public async Task A_missing_program_is_named()
    {
        var spec = new ProcessSpec { FileName = "no-such-program-here" };

        var exception = await Assert.ThrowsAsync<ProcessStartException>(
            () => ProcessRunner.RunAsync(spec, Cancellation));

        Assert.StartsWith("no-such-program-here could not be started", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_timeout_kills_the_whole_group()
    {
        using var scratch = new ScratchDirectory();
        var spec = Shell($"trap '' TERM; sleep 1000 & echo $! > {scratch["child"]}; wait") with
        {
            Timeout = TimeSpan.FromSeconds(1),
        };

        var result = await ProcessRunner.RunAsync(spec, Cancellation);

        Assert.True(result.TimedOut);
        Assert.Equal(LibC.SignalKill, result.Signal);
        await Gone(scratch["child"]);
    }

    [Fact]
    public async Task What_a_program_leaves_in_its_group_dies_with_it()
    {
        using var scratch = new ScratchDirectory();
        var clock = Stopwatch.StartNew();

        var result = await ProcessRunner.RunAsync(Shell($"sleep 1000 & echo $! > {scratch["child"]}"), Cancellation);

        Assert.True(result.Succeeded);
        Assert.True(clock.Elapsed < Deadline);
        await Gone(scratch["child"]);
    }

    [Fact]
    public async Task A_daemon_that_keeps_the_pipe_open_does_not_hold_up_the_result()
    {
        using var scratch = new ScratchDirectory();

        var result = await ProcessRunner.RunAsync(
            Shell($"setsid sh -c 'echo $$ > {scratch["child"]}; exec sleep 1000' & "
                + $"until [ -s {scratch["child"]} ]; do :; done"),
            Cancellation);

        Assert.True(result.Succeeded);
        Assert.True(result.Elapsed < Deadline);
        LibC.Kill(ReadNumber(scratch["child"]), LibC.SignalKill);
    }

    [Fact]
    public async Task Cancelling_kills_the_group_and_throws()
    {
        using var scratch = new ScratchDirectory();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var run = ProcessRunner.RunAsync(
            Shell($"sleep 1000 & echo $! > {scratch["new"]}; mv {scratch["new"]} {scratch["child"]}; wait"),
                cancel.Token);
        await Until(() => File.Exists(scratch["child"]));

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        await Gone(scratch["child"]);
    }

    [Fact]
    public async Task Too_much_output_ends_the_program_and_is_told()
    {
        var seen = 0L;
        var spec = new ProcessSpec
        {
            FileName = "yes",
            MaxOutputBytes = 100_000,
            KeepOutputBytes = 10,
            OnOutput = (_, bytes) => seen += bytes.Length,
        };

        var result = await ProcessRunner.RunAsync(spec, Cancellation);

        Assert.True(result.OutputExceeded);
        Assert.False(result.Succeeded);
        Assert.Equal(100_000, seen);
        Assert.Equal("y\ny\ny\ny\ny\n", result.StandardOutput);
    }

    [Fact]
    public async Task Output_is_seen_while_the_program_runs()
    {
        var seen = new TaskCompletionSource<string>();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var spec = Shell("echo early; sleep 1000") with
        {
            OnOutput = (_, bytes) => seen.TrySetResult(Encoding.UTF8.GetString(bytes)),
        };

        var run = ProcessRunner.RunAsync(spec, cancel.Token);

        Assert.Equal("early\n", await seen.Task.WaitAsync(Deadline, Cancellation));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    [Fact]
    public async Task What_the_watcher_of_output_throws_ends_the_program_and_comes_out()
    {
        var spec = Shell("echo $$; exec sleep 1000") with
        {
            OnOutput = (_, bytes) => throw new InvalidDataException(Encoding.UTF8.GetString(bytes).Trim()),
        };

        var exception = await Assert.ThrowsAsync<InvalidDataException>(
            () => ProcessRunner.RunAsync(spec, Cancellation));

        await Until(() => !LibC.ProcessExists(int.Parse(exception.Message, CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task Costs_are_counted()
    {
        var result = await ProcessRunner.RunAsync(
            Shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"), Cancellation);

        Assert.InRange(result.CpuTime, TimeSpan.FromMilliseconds(10), result.Elapsed + TimeSpan.FromSeconds(1));
        Assert.True(result.PeakMemoryBytes > 500_000);
    }

    [Fact]
    public async Task Many_programs_at_once_do_not_mix_their_outputs()
    {
        var runs = Enumerable.Range(0, 40)
            .Select(i => ProcessRunner.RunAsync(Shell($"echo {i}; echo {i} >&2; exit {i}"), Cancellation));

        var results = await Task.WhenAll(runs);

        Assert.All(results.Index(), pair =>
        {
            Assert.Equal(pair.Index, pair.Item.ExitCode);
            Assert.Equal($"{pair.Index}\n", pair.Item.StandardOutput);
            Assert.Equal($"{pair.Index}\n", pair.Item.StandardError);
        });
    }

    [Fact]
    public async Task A_program_inherits_no_descriptor_but_its_three_streams()
    {
        await ProcessRunner.RunAsync(Shell("echo warm"), Cancellation);
        var names = await ProcessRunner.RunAsync(Shell("ls /proc/self/fd"), Cancellation);

        // 0, 1, 2 and the directory that ls reads: nothing of ours leaks into a child.
        Assert.Equal(["0", "1", "2", "3"], names.StandardOutput.Trim().Split('\n'));
    }

    [Fact]
    public async Task The_death_signal_is_the_kill_signal_and_outlives_threads_of_the_pool()
    {
        // Started from the pool, where the thread may end at any moment: the program must not notice.
        var spec = Shell("exec sleep 0.5") with { ParentDeathSignal = true };

        var results = await Task.WhenAll(Enumerable.Range(0, 8)
            .Select(_ => Task.Run(() => ProcessRunner.RunAsync(spec, Cancellation), Cancellation)));

        Assert.All(results, result => Assert.True(result.Succeeded, result.Ending));
    }

    internal static async Task Until(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < Deadline, "The condition did not come true in time.");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    private static Task Gone(string file)
    {
        var process = ReadNumber(file);
        // A killed orphan may stay a zombie where PID 1 reaps nobody: dead is enough.
        return Until(() => !LibC.ProcessExists(process) || State(process) is "Z" or "X");
    }

    private static string? State(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..][..1];
        }
        catch (IOException)
        {
            return "X";
        }
    }

    private static int ReadNumber(string file) => int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture);

    private static ProcessSpec Shell(string script) => new() { FileName = "sh", Arguments = ["-c", script] };
}
