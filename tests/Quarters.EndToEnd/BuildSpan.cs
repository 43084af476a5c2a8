using System.Text.Json;
using Quarters.Core;
using Quarters.Core.Builder;

namespace Quarters.EndToEnd;

/// <summary>That a builder built an attempt from then to then, by its own journal, which it writes before it
/// acts.</summary>
/// <param name="Builder">The builder's name.</param>
/// <param name="Job">The job.</param>
/// <param name="Attempt">The attempt.</param>
/// <param name="Begun">When the build began.</param>
/// <param name="Ended">When it ended, or was given up; null while it runs.</param>
internal sealed record BuildSpan(string Builder, string Job, int Attempt, DateTimeOffset Begun, DateTimeOffset? Ended)
{
    public bool Overlaps(BuildSpan other) =>
        Begun < (other.Ended ?? DateTimeOffset.MaxValue) && other.Begun < (Ended ?? DateTimeOffset.MaxValue);

    /// <summary>All that the journal in a builder's home tells, in order.</summary>
    public static List<BuildSpan> Read(string builder, string home)
    {
        var spans = new List<BuildSpan>();
        foreach (var (time, happened) in Entries<BuilderEvent>(Path.Combine(home, "state", "journal")))
        {
            switch (happened)
            {
                case BuildBegun begun:
                    spans.Add(new BuildSpan(builder, begun.Job, begun.Attempt, time, null));
                    break;
                case BuildEnded { Result: var result }:
                    End(result.Job, result.Attempt, time);
                    break;
                case ClaimDropped dropped:
                    End(dropped.Job, dropped.Attempt, time);
                    break;
            }
        }

        return spans;

        void End(string job, int attempt, DateTimeOffset time)
        {
            if (spans.FindIndex(s => s.Ended is null && s.Job == job && s.Attempt == attempt) is >= 0 and var at)
                spans[at] = spans[at] with { Ended = time };
        }
    }

    /// <summary>The events of a journal that may be being written.</summary>
    public static IEnumerable<(DateTimeOffset Time, T Event)> Entries<T>(string journal)
    {
        if (!Directory.Exists(journal)) yield break;
        foreach (var path in Directory.GetFiles(journal, "*.jsonl").Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(
                new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            var lines = reader.ReadToEnd().Split('\n');
            // What stands after the last line feed is not written yet.
            foreach (var line in lines[..^1])
            {
                using var entry = JsonDocument.Parse(line);
                yield return (
                    entry.RootElement.GetProperty("time").GetDateTimeOffset(),
                    (T)entry.RootElement.GetProperty("event").Deserialize(
                        QuartersJson.Default.GetTypeInfo(typeof(T))!)!);
            }
        }
    }
}
