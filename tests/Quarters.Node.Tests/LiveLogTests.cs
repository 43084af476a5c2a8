using System.Text;

namespace Quarters.Node.Tests;

public sealed class LiveLogTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Readers_see_what_was_appended_at_once()
    {
        using var log = new LiveLog(_directory["log"], LiveLog.DefaultBytesLimit);
        log.AppendLine("one");
        Assert.Equal("one\n", Read());
        log.Append("two"u8);
        Assert.Equal("one\ntwo", Read());
        Assert.Equal(7, log.Appended);
    }

    [Fact]
    public void A_log_beyond_its_limit_keeps_beginning_and_end_and_says_what_is_missing()
    {
        var lines = Enumerable.Range(0, 40_000).Select(i => $"line {i:D6}\n").ToList();
        using (var log = new LiveLog(_directory["log"], 1200))
        {
            foreach (var line in lines)
                log.Append(Encoding.UTF8.GetBytes(line));
        }

        var whole = string.Concat(lines);
        var missing = whole.Length - 1200 - LiveLog.TailBytes;
        Assert.Equal(whole[..1200]
            + $"\n[quarters: the log passed its limit of 1200 bytes; {missing} bytes are left out here]\n"
            + whole[^LiveLog.TailBytes..], Read());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(70_000)]
    [InlineData(65_536)]
    public void The_end_is_kept_however_large_the_pieces_are(int piece)
    {
        var whole = string.Concat(Enumerable.Range(0, 30_000).Select(i => $"{i:D6} "));
        using (var log = new LiveLog(_directory["log"], 100))
        {
            for (var at = 0; at < whole.Length; at += piece)
                log.Append(Encoding.ASCII.GetBytes(whole[at..Math.Min(whole.Length, at + piece)]));
        }

        Assert.EndsWith("]\n" + whole[^LiveLog.TailBytes..], Read(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_log_a_little_beyond_its_limit_is_whole()
    {
        using (var log = new LiveLog(_directory["log"], 10))
            log.AppendLine("more than ten bytes");

        Assert.Equal("more than ten bytes\n", Read());
    }

    [Fact]
    public void Words_after_the_end_are_dropped()
    {
        var log = new LiveLog(_directory["log"], 10);
        log.Dispose();
        log.AppendLine("late");
        log.Dispose();

        Assert.Equal("", Read());
    }

    private string Read()
    {
        using var file = new FileStream(_directory["log"], FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return reader.ReadToEnd();
    }
}
