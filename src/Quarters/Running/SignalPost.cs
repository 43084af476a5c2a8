using System.CommandLine;
using System.Text.Json;
using Quarters.Configuring;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Linux.Files;
using Quarters.Master;
using Quarters.Reading;

namespace Quarters.Running;

/// <summary>Puts a signal into the spool of the master on this machine, and tells what became of it.</summary>
internal sealed class SignalPost
{
    private const int LongestWait = 3600;

    // Twice in the time that the master takes to look.
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly Option<string?> _config = NodeOptions.NewConfig();

    private readonly Option<string?> _operatorFolder = new("--operator")
    {
        Description = "publish the signal in this operator's folder, signed, instead of putting it into a spool here",
        HelpName = "DIR",
    };

    private readonly Option<int> _wait = new("--wait")
    {
        Description = "how long to wait for what becomes of it; 0 does not wait",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => 15,
    };

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="fromAfar">Whether masters obey it from afar.</param>
    internal SignalPost AddTo(Command command, bool fromAfar = true)
    {
        command.Add(_config);
        if (fromAfar) command.Add(_operatorFolder);
        command.Add(_wait);
        return this;
    }

    /// <summary>The master on this machine, to be read.</summary>
    internal NodeLink OpenMaster(ParseResult parsed)
    {
        var farm = Farm.Load(Farm.Find(parsed.GetValue(_config)));
        return new NodeLink(farm.MasterUrl, farm.MasterKey());
    }

    /// <summary>Sends what is asked for; returns the exit code.</summary>
    /// <param name="parsed">The arguments.</param>
    /// <param name="make">Makes the signal of its id and time.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    internal async Task<int> SendAsync(
        ParseResult parsed, Func<string, DateTimeOffset, Signal> make, CancellationToken cancellationToken)
    {
        var seconds = parsed.GetValue(_wait);
        if (seconds is < 0 or > LongestWait)
            throw new MistakeException($"--wait must be from 0 to {LongestWait} seconds");
        var (signal, bytes) = Make(make);
        if (parsed.GetValue(_operatorFolder) is { } folder)
            return await PublishAsync(parsed, signal, new OperatorFolder(folder));
        var farm = Farm.Load(Farm.Find(parsed.GetValue(_config)));
        var folders = new MasterFolders(farm.MasterDirectory);
        if (!Directory.Exists(folders.Spool))
            throw new MistakeException($"there is no {folders.Spool}: start the master once with `quarters master`, "
                + "and use this command on its machine");
        var path = folders.Signal(signal.Id);
        DurableFile.Replace(LinuxDisk.Instance, path, bytes);
        var output = parsed.InvocationConfiguration.Output;
        if (seconds == 0)
        {
            await output.WriteLineAsync($"{signal.Id} is in the spool.");
            return ExitCode.Done;
        }

        using var link = new NodeLink(farm.MasterUrl, farm.MasterKey());
        SignalDocument? outcome;
        try
        {
            outcome = await WaitAsync(link, signal.Id, TimeSpan.FromSeconds(seconds), cancellationToken);
        }
        catch (MistakeException silent)
        {
            throw new MistakeException($"{silent.Message} What was asked for is done when the master next runs; to "
                + $"take it back until then, delete {path}");
        }

        if (outcome is null)
            throw new MistakeException($"the master at {link.Address} has not finished with {path} within {seconds} s: "
                + "it is at work, or will be when it runs, and then tells what became of it at "
                + $"/v1/signals/{signal.Id}.json");
        foreach (var line in outcome.Details)
            await output.WriteLineAsync(Terminal.Printable(line));
        if (outcome.Outcome == SignalEnd.Done)
        {
            await output.WriteLineAsync("Done.");
            return ExitCode.Done;
        }

        await parsed.InvocationConfiguration.Error.WriteLineAsync(
            Terminal.Printable($"The master refused: {outcome.Reason}."));
        return ExitCode.Failed;
    }

    // Names of this kind are in the order of their time, and so are the signals.
    private static (Signal Signal, byte[] Bytes) Make(Func<string, DateTimeOffset, Signal> make)
    {
        var now = TimeProvider.System.GetUtcNow();
        var signal = make(Guid.CreateVersion7(now).ToString(), now);
        var bytes = JsonSerializer.SerializeToUtf8Bytes(signal, QuartersJson.Default.Signal);
        return bytes.Length <= Signal.MaxBytes
            ? (signal, bytes)
            : throw new MistakeException($"that is {bytes.Length} bytes to ask for, and a master reads no more than "
                + $"{Signal.MaxBytes} at once: name fewer, or all of a repository");
    }

    private static async Task<int> PublishAsync(
        ParseResult parsed, Signal signal, OperatorFolder folder)
    {
        folder.Publish(signal);
        await parsed.InvocationConfiguration.Output.WriteLineAsync(
            $"{signal.Id} is in {folder.Public}; once that is at the operator's URL, masters read it, and tell what "
            + $"became of it at /v1/signals/{signal.Id}.json.");
        return ExitCode.Done;
    }

    private static async Task<SignalDocument?> WaitAsync(
        NodeLink link, string id, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval);
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < patience
            && await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (await link.FindAsync($"v1/signals/{id}.json", cancellationToken) is { } bytes)
                return link.Parse(
                    bytes, QuartersJson.Default.SignalDocument, Schemas.SignalOutcome, document => document.Schema);
        }

        return null;
    }
}
