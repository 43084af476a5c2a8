using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Linux.Files;

namespace Quarters.Master.Signalling;

/// <summary>
/// Reads what operators put into the spool. A signal is journaled with what it brings about, then its file is deleted:
/// after a crash in between it is read again, found to be settled, and deleted.
/// </summary>
internal sealed partial class SpoolReading(
    MasterFolders folders, IDisk disk, SignalDesk desk, TimeProvider time, ILogger<SpoolReading> logger)
{
    /// <summary>So many files are looked at in one round; the rest has its turn in the next.</summary>
    public const int MaxFilesAtOnce = 1000;

    /// <summary>So many files that are no signals are kept to be looked at by people, the newest.</summary>
    public const int MaxRefused = 100;

    private const string Ending = ".json";
    private const string ReasonEnding = ".reason";
    private const int MaxKeptName = 100;

    // A directory that changes a few times a year is looked at, not watched: that costs nothing and cannot miss a file.
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            var found = Directory.EnumerateFiles(folders.Spool)
                .Where(path => !path.EndsWith(DurableFile.TemporarySuffix, StringComparison.Ordinal))
                .Take(MaxFilesAtOnce);
            foreach (var path in found.Order(StringComparer.Ordinal).ToList())
                await TakeAsync(path, cancellationToken);
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    private async Task TakeAsync(string path, CancellationToken cancellationToken)
    {
        var (signal, fault) = Read(path);
        if (signal is not null)
        {
            await desk.SettleAsync(signal, null, cancellationToken);
            disk.Delete(path);
            return;
        }

        // Whoever put it there may take it away again at any moment.
        if (!File.Exists(path)) return;
        PutAside(path, fault);
        LogRefused(path, fault);
    }

    private static (Signal? Signal, string Fault) Read(string path)
    {
        var name = Path.GetFileName(path);
        if (!name.EndsWith(Ending, StringComparison.Ordinal) || !Signal.IsValidId(name[..^Ending.Length]))
            return (null, $"a signal's file is called ID{Ending}, ID of letters, digits and '-'");
        try
        {
            using var file = UntrustedFile.OpenRead(path);
            if (file.Length > Signal.MaxBytes) return (null, $"it is larger than {Signal.MaxBytes} bytes");
            var signal = JsonSerializer.Deserialize(file, QuartersJson.Default.Signal);
            if (signal?.Schema != Schemas.Signal)
                return (null, $"its schema is '{signal?.Schema}'; this master reads {Schemas.Signal}");
            if (signal.Id != name[..^Ending.Length]) return (null, "its id is not that of its file name");
            return Signals.FindFault(signal) is { } fault
                ? (null, $"it is no signal: {fault}")
                : (signal, "");
        }
        catch (Exception problem) when (problem is JsonException or NotSupportedException)
        {
            return (null, $"it is no signal that this master knows: {problem.Message}");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return (null, $"it cannot be read: {problem.Message}");
        }
    }

    private void PutAside(string path, string fault)
    {
        Directory.CreateDirectory(folders.RefusedSignals);
        var name = Path.GetFileName(path);
        if (name.Length > MaxKeptName)
            name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
        var aside = Path.Combine(folders.RefusedSignals, name);
        DurableFile.Replace(disk, aside + ReasonEnding, Encoding.UTF8.GetBytes(fault + "\n"));
        disk.Rename(path, aside);
        var kept = new DirectoryInfo(folders.RefusedSignals).GetFiles()
            .Where(file => !file.Name.EndsWith(ReasonEnding, StringComparison.Ordinal))
            .OrderByDescending(file => File.GetLastWriteTimeUtc(file.FullName + ReasonEnding));
        foreach (var old in kept.Skip(MaxRefused).ToList())
        {
            disk.Delete(old.FullName);
            disk.Delete(old.FullName + ReasonEnding);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path} is put aside: {Reason}")]
    private partial void LogRefused(string path, string reason);
}
