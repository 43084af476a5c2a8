using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Linux.Files;

namespace Quarters.Running;

/// <summary>
/// What an operator keeps: a key in <c>identity/</c>, and in <c>public/</c> the signals that were published, signed,
/// for any web space. Masters that list the operator read them there.
/// </summary>
internal sealed class OperatorFolder(string directory)
{
    /// <summary>So many signals stay published: a master that was away for long still finds them.</summary>
    private const int Kept = 200;

    private const string DocumentPath = "v1/signals.json";

    /// <summary>Where the key is.</summary>
    internal string Identity { get; } = Path.Combine(Path.GetFullPath(directory), "identity");

    /// <summary>What is to be copied to the web space.</summary>
    internal string Public { get; } = Path.Combine(Path.GetFullPath(directory), "public");

    /// <summary>Publishes one more signal: its signature first, then the document that it is of.</summary>
    /// <exception cref="MistakeException">There is no key, or what lies there is no list of signals.</exception>
    internal void Publish(Signal signal)
    {
        if (!Node.Identity.Exists(Identity))
            throw new MistakeException($"there is no key in {Identity}; make one with `quarters operator init DIR`");
        using var identity = Node.Identity.Load(Identity);
        var before = Read();
        signal = After(before.Signals, signal);
        var bytes = Render(before.Revision + 1, [.. before.Signals.Append(signal).TakeLast(Kept)]);
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        var signatures = Path.Combine(Public, "v1", "sig");
        Directory.CreateDirectory(signatures);
        var old = new DirectoryInfo(signatures).GetFiles().OrderByDescending(file => file.LastWriteTimeUtc).Skip(Kept);
        foreach (var file in old.ToList()) file.Delete();
        DurableFile.Replace(
            LinuxDisk.Instance, Path.Combine(signatures, sha256), identity.SignDocument(sha256, bytes.Length));
        DurableFile.Replace(LinuxDisk.Instance, Path.Combine(Public, DocumentPath), bytes);
    }

    /// <summary>The signal, dated after all those that masters may have acted on: they pass over what is older, as it
    /// is when a clock was set back.</summary>
    private static Signal After(ImmutableArray<Signal> published, Signal signal)
    {
        var last = published.Where(one => !Signals.IsPostponed(one, signal.Time)).MaxBy(one => one.Time);
        return last is not null && last.Time >= signal.Time
            ? signal with { Time = last.Time + TimeSpan.FromMilliseconds(1) }
            : signal;
    }

    /// <summary>The document with as many of the newest signals as masters read at once.</summary>
    private static byte[] Render(long revision, ImmutableArray<Signal> signals)
    {
        while (true)
        {
            var document = new SignalsDocument { Revision = revision, Signals = signals };
            var bytes = JsonSerializer.SerializeToUtf8Bytes(document, QuartersJson.Default.SignalsDocument);
            if (bytes.Length <= SignalsDocument.MaxBytes) return bytes;
            signals = signals.RemoveAt(0);
        }
    }

    private SignalsDocument Read()
    {
        var path = Path.Combine(Public, DocumentPath);
        if (!File.Exists(path)) return new SignalsDocument { Revision = 0, Signals = [] };
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), QuartersJson.Default.SignalsDocument)
                ?? throw new MistakeException($"{path} is no list of signals");
        }
        catch (Exception damaged) when (damaged is JsonException or NotSupportedException)
        {
            throw new MistakeException($"{path} is no list of signals: {damaged.Message}");
        }
    }
}
