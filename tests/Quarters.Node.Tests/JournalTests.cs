using System.Diagnostics;
using System.Text;
using System.Text.Json.Serialization;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Quarters.Linux.Files;

namespace Quarters.Node.Tests;

[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(Counted), "counted")]
[JsonDerivedType(typeof(Noted), "noted")]
public abstract record Happened;

public sealed record Counted(int By) : Happened;

public sealed record Noted(string Text) : Happened;

public sealed record Tally(IReadOnlyList<string> Seen)
{
    public static Tally Empty { get; } = new([]);

    public Tally After(JournalEntry<Happened> entry) => new([.. Seen, entry.Event.ToString()]);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Happened))]
[JsonSerializable(typeof(Tally))]
internal sealed partial class TallyJson : JsonSerializerContext;

public sealed class JournalTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void What_was_appended_is_there_again()
    {
        using (var journal = Open(LinuxDisk.Instance))
        {
            Recover(journal);
            var entries = journal.Append([new Counted(1), new Noted("line\nbreak \"quoted\" ü")]);
            _time.Advance(TimeSpan.FromSeconds(1));
            journal.Append([new Counted(3)]);
            Assert.Equal([1, 2], entries.Select(entry => entry.Seq));
        }

        using var again = Open();
        var seen = new List<JournalEntry<Happened>>();
        again.Recover<Tally>(TallyJson.Default.Tally, _ => Tally.Empty, (state, entry) =>
        {
            seen.Add(entry);
            return state;
        });
        Assert.Equal([new Counted(1), new Noted("line\nbreak \"quoted\" ü"), new Counted(3)],
            seen.Select(entry => entry.Event));
        Assert.Equal([1, 2, 3], seen.Select(entry => entry.Seq));
        Assert.Equal(_time.GetUtcNow(), seen[2].Time);
        Assert.Equal(3, again.LastSeq);
    }

    [Fact]
    public void A_line_says_number_time_hash_before_event_and_its_own_hash()
    {
        using (var journal = Open())
        {
            Recover(journal);
            journal.Append([new Counted(1)]);
        }

        var line = File.ReadAllText(Assert.Single(Segments()));
        Assert.StartsWith("{\"seq\":1,\"time\":\"2026-01-02T03:04:05+00:00\",\"prev\":\"" + new string('0', 64)
            + "\",\"event\":{\"kind\":\"counted\",\"by\":1},\"hash\":\"", line, StringComparison.Ordinal);
        var proven = line[..line.IndexOf(",\"hash\"", StringComparison.Ordinal)];
        var hash =
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(proven)));
        Assert.EndsWith($",\"hash\":\"{hash}\"}}\n", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Time_in_the_journal_never_goes_back()
    {
        using var journal = Open();
        Recover(journal);
        var first = journal.Append([new Counted(1)]).Single();
        _time.AdjustTime(_time.GetUtcNow() - TimeSpan.FromHours(1));

        Assert.Equal(first.Time, journal.Append([new Counted(2)]).Single().Time);
    }

    [Fact]
    public void Segments_are_closed_when_they_are_full_and_a_snapshot_makes_old_ones_unread()
    {
        using (var journal = Open())
        {
            Recover(journal);
            AppendMany(journal, 1, 20);
            journal.WriteSnapshot(Expected(1, 20), TallyJson.Default.Tally);
            AppendMany(journal, 21, 5);
        }

        var segments = Segments();
        Assert.True(segments.Length > 4);
        File.WriteAllText(segments[0], "damaged, but nobody looks");
        using var again = Open();
        Assert.Equal(Expected(1, 25).Seen, Recover(again).Seen);
    }

    [Fact]
    public async Task What_no_start_needs_any_more_is_compressed_and_stays_readable()
    {
        using (var journal = Open(LinuxDisk.Instance))
        {
            Recover(journal);
            AppendMany(journal, 1, 20);
        }

        var before = string.Concat(Segments().Select(File.ReadAllText));
        using (var journal = Open(LinuxDisk.Instance))
        {
            Recover(journal);
            journal.WriteSnapshot(Expected(1, 20), TallyJson.Default.Tally);
            AppendMany(journal, 21, 20);
        }

        var segments = Segments();
        var compressed = segments.Where(name => name.EndsWith(".jsonl.zst", StringComparison.Ordinal)).ToArray();
        Assert.True(compressed.Length > 3, string.Join(' ', segments));
        Assert.Equal(compressed, segments[..compressed.Length]);
        using var zstd = Process.Start(new ProcessStartInfo("zstdcat", compressed)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        })!;
        Assert.StartsWith(await zstd.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), before,
            StringComparison.Ordinal);
        await zstd.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, zstd.ExitCode);

        // A snapshot only saves time: without it all of that is read.
        File.Delete(_directory["snapshot.jsonl"]);
        using (var journal = Open(LinuxDisk.Instance)) Assert.Equal(Expected(1, 40).Seen, Recover(journal).Seen);
        File.WriteAllBytes(compressed[1], File.ReadAllBytes(compressed[1])[..^9]);
        using var damaged = Open(LinuxDisk.Instance);
        Assert.StartsWith($"{compressed[1]} cannot be decompressed",
            Assert.Throws<JournalDamagedException>(() => Recover(damaged)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_snapshot_is_due_after_so_many_events()
    {
        using var journal =
            new Journal<Happened>(new JournalSettings { Directory = _directory.Path, SnapshotEvents = 3 },
            LinuxDisk.Instance, TallyJson.Default.Happened, _time, NullLogger.Instance);
        Recover(journal);
        AppendMany(journal, 1, 2);
        Assert.False(journal.SnapshotDue);
        AppendMany(journal, 3, 1);
        Assert.True(journal.SnapshotDue);
        journal.WriteSnapshot(Expected(1, 3), TallyJson.Default.Tally);
        Assert.False(journal.SnapshotDue);
    }

    [Fact]
    public void Wherever_the_last_segment_is_torn_what_was_whole_remains()
    {
        var sizes = new List<long>();
        using (var journal = Open(segmentBytes: 100_000))
        {
            Recover(journal);
            foreach (var size in new[] { 1, 3, 2 })
            {
                journal.Append([.. Enumerable.Range(0, size).Select(i => new Counted(i))]);
                sizes.Add(new FileInfo(Segments().Single()).Length);
            }
        }

        var segment = Segments().Single();
        var bytes = File.ReadAllBytes(segment);
        for (var length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(segment, bytes[..length]);
            using (var journal = Open(segmentBytes: 100_000))
            {
                var whole = sizes.Count(size => size <= length);
                Assert.Equal(new[] { 0, 1, 4, 6 }[whole], Recover(journal).Seen.Count);
                journal.Append([new Noted("after")]);
            }

            using var again = Open();
            Assert.Equal("Noted { Text = after }", Recover(again).Seen[^1]);
        }
    }

    [Fact]
    public void Zeros_after_the_last_line_are_cut_off()
    {
        using (var journal = Open())
        {
            Recover(journal);
            AppendMany(journal, 1, 1);
        }

        File.AppendAllText(Segments().Single(), new string('\0', 4000));
        using var again = Open();
        Assert.Equal(Expected(1, 1).Seen, Recover(again).Seen);
    }

    [Fact]
    public void Every_flipped_bit_is_detected_and_named_by_file_and_line()
    {
        using (var journal = Open())
        {
            Recover(journal);
            AppendMany(journal, 1, 9);
        }

        foreach (var segment in Segments())
        {
            var bytes = File.ReadAllBytes(segment);
            for (var at = 0; at < bytes.Length; at++)
            {
                var flipped = bytes.ToArray();
                flipped[at] ^= (byte)(1 << (at % 8));
                File.WriteAllBytes(segment, flipped);
                using var journal = Open();
                var damage = Assert.Throws<JournalDamagedException>(() => Recover(journal));
                Assert.StartsWith(segment + ":", damage.Message, StringComparison.Ordinal);
                Assert.Equal(flipped, File.ReadAllBytes(segment));
            }

            File.WriteAllBytes(segment, bytes);
        }
    }

    [Fact]
    public void A_damaged_snapshot_costs_only_time()
    {
        using (var journal = Open())
        {
            Recover(journal);
            AppendMany(journal, 1, 6);
            journal.WriteSnapshot(Expected(1, 6), TallyJson.Default.Tally);
        }

        var bytes = File.ReadAllBytes(_directory["snapshot.jsonl"]);
        for (var at = 0; at < bytes.Length; at += 3)
        {
            var flipped = bytes.ToArray();
            flipped[at] ^= 4;
            File.WriteAllBytes(_directory["snapshot.jsonl"], flipped);
            using var journal = Open();
            Assert.Equal(Expected(1, 6).Seen, Recover(journal).Seen);
        }
    }

    [Fact]
    public void A_missing_segment_or_lost_end_is_an_error()
    {
        using (var journal = Open())
        {
            Recover(journal);
            AppendMany(journal, 1, 12);
            journal.WriteSnapshot(Expected(1, 12), TallyJson.Default.Tally);
        }

        var segments = Segments();
        File.Delete(segments[^1]);
        using (var journal = Open())
            Assert.Contains("but", Assert.Throws<JournalDamagedException>(() => Recover(journal)).Message,
                StringComparison.Ordinal);
        File.Delete(_directory["snapshot.jsonl"]);
        File.Delete(segments[1]);
        using (var journal = Open())
            Assert.Contains("comes next", Assert.Throws<JournalDamagedException>(() => Recover(journal)).Message,
                StringComparison.Ordinal);
        File.Delete(segments[0]);
        using (var journal = Open())
            Assert.Contains("missing", Assert.Throws<JournalDamagedException>(() => Recover(journal)).Message,
                StringComparison.Ordinal);
    }

    [Fact]
    public void Only_one_process_has_it_at_a_time()
    {
        using var journal = Open();

        Assert.Contains("Another process", Assert.Throws<IOException>(() => Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_looks_beside_it_sees_what_is_whole_and_changes_nothing()
    {
        Assert.Empty(Look().Seen);
        Assert.Empty(Directory.GetFileSystemEntries(_directory.Path));
        using var journal = Open(LinuxDisk.Instance);
        Recover(journal);
        AppendMany(journal, 1, 20);
        journal.WriteSnapshot(Expected(1, 20), TallyJson.Default.Tally);
        AppendMany(journal, 21, 5);
        Assert.Equal(Expected(1, 25).Seen, Look().Seen);
        // A line that is written just now.
        var last = Segments()[^1];
        var whole = File.ReadAllBytes(last);
        File.WriteAllBytes(last, whole[..^1]);
        Assert.Equal(Expected(1, 24).Seen, Look().Seen);
        Assert.Equal(whole[..^1], File.ReadAllBytes(last));
    }

    [Fact]
    public void After_a_failed_write_it_takes_no_more_events()
    {
        var clean = new DyingDisk(int.MaxValue, new Random(1));
        using (var counting = Open(clean))
        {
            Recover(counting);
            counting.Append([new Counted(1)]);
        }

        Directory.Delete(_directory.Path, recursive: true);
        Directory.CreateDirectory(_directory.Path);
        using var journal = Open(new DyingDisk(clean.Operations, new Random(1)));
        Recover(journal);
        Assert.Throws<DiskDiedException>(() => journal.Append([new Counted(1)]));
        Assert.Contains("no more events", Assert.Throws<IOException>(() => journal.Append([new Counted(1)])).Message,
            StringComparison.Ordinal);
    }

    /// <summary>The promise: whatever the machine was doing when it died, what was acknowledged is there, and of what
    /// was not, all or nothing.</summary>
    [Fact]
    public void A_machine_may_die_at_any_operation()
    {
        var steps = Gen.Int[1, 4].Array[3, 9];
        var compressed = 0;
        Gen.Select(steps, Gen.Int[0, int.MaxValue]).Sample((batches, seed) =>
        {
            var operations = Live(batches, int.MaxValue, seed);
            compressed += Segments().Count(name => name.EndsWith(".zst", StringComparison.Ordinal));
            for (var diesAt = 1; diesAt <= operations; diesAt++)
                Live(batches, diesAt, seed);
        }, iter: 10, threads: 1);
        Assert.True(compressed > 0, "nothing was compressed, so the machine never died while it was");
    }

    /// <summary>Appends the batches until the disk dies, then recovers (dying once more on the way) and
    /// checks.</summary>
    private int Live(int[] batches, int diesAt, int seed)
    {
        Directory.Delete(_directory.Path, recursive: true);
        Directory.CreateDirectory(_directory.Path);
        var chance = new Random(seed);
        var disk = new DyingDisk(diesAt, chance);
        var acknowledged = Tally.Empty;
        var possible = Tally.Empty;
        try
        {
            using var journal = Open(disk);
            Recover(journal);
            var next = 0;
            foreach (var size in batches)
            {
                Happened[] batch = [.. Enumerable.Range(next, size).Select(i => new Counted(i))];
                next += size;
                possible = new([.. acknowledged.Seen, .. batch.Select(happened => happened.ToString())]);
                journal.Append(batch);
                acknowledged = possible;
                if (next % 3 == 0)
                    journal.WriteSnapshot(acknowledged, TallyJson.Default.Tally);
            }
        }
        catch (DiskDiedException)
        {
            disk.Settle();
        }

        var dyingAgain = new DyingDisk(chance.Next(1, 12), chance);
        try
        {
            using var journal = Open(dyingAgain);
            Recover(journal);
        }
        catch (DiskDiedException)
        {
            dyingAgain.Settle();
        }

        using (var journal = Open())
        {
            var recovered = Recover(journal).Seen;
            Assert.True(recovered.SequenceEqual(acknowledged.Seen) || recovered.SequenceEqual(possible.Seen),
                $"died at operation {diesAt}: {recovered.Count} events "
                + $"instead of {acknowledged.Seen.Count} or {possible.Seen.Count}");
            journal.Append([new Noted("after")]);
            Assert.Equal(recovered.Count + 1, journal.LastSeq);
            possible = new([.. recovered, "Noted { Text = after }"]);
        }

        using (var journal = Open()) Assert.Equal(possible.Seen, Recover(journal).Seen);
        // What was compressed no start reads as long as there is a snapshot: the history must be there without it.
        File.Delete(_directory["snapshot.jsonl"]);
        using (var journal = Open()) Assert.Equal(possible.Seen, Recover(journal).Seen);
        return disk.Operations;
    }

    private Journal<Happened> Open(IDisk? disk = null, long segmentBytes = 600) =>
        new(new JournalSettings { Directory = _directory.Path, SegmentBytes = segmentBytes }, disk
            ?? new DyingDisk(int.MaxValue, new Random(1)),
            TallyJson.Default.Happened, _time, NullLogger.Instance);

    private static Tally Recover(Journal<Happened> journal) =>
        journal.Recover<Tally>(TallyJson.Default.Tally, stored => stored ?? Tally.Empty,
            (state, entry) => state.After(entry));

    private Tally Look() => JournalLook.Read<Happened, Tally>(
        new JournalSettings { Directory = _directory.Path }, TallyJson.Default.Happened, TallyJson.Default.Tally,
        stored => stored ?? Tally.Empty, (state, entry) => state.After(entry));

    private static void AppendMany(Journal<Happened> journal, int first, int count)
    {
        for (var i = first; i < first + count; i++)
            journal.Append([new Counted(i)]);
    }

    private static Tally Expected(int first, int count) =>
        new([.. Enumerable.Range(first, count).Select(i => new Counted(i).ToString())]);

    private string[] Segments() => [.. Directory.GetFiles(_directory["journal"]).Order()];
}
