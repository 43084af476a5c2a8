using System.Text;
using Quarters.Alpm;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Tests.Intake;

public sealed class TreeCacheTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private static TreeFacts Facts(string name) => new(
        SrcInfo.Parse(Encoding.UTF8.GetBytes(
            $"pkgbase = {name}\n\tpkgver = 1\n\tpkgrel = 1\n\tarch = any\n\npkgname = {name}\n")),
        new ArchiveFacts(new string('a', 64), 42));

    [Fact]
    public void What_was_added_is_found_after_a_restart_under_its_digest_and_name_only()
    {
        new TreeCache(_directory["cache"], 10).Add("digest", "name", Facts("alpha"));

        var cache = new TreeCache(_directory["cache"], 10);

        Assert.Equal(Facts("alpha").Info.ToText(), cache.Find("digest", "name")?.Info.ToText());
        Assert.Equal(new ArchiveFacts(new string('a', 64), 42), cache.Find("digest", "name")?.Archive);
        Assert.Null(cache.Find("digest", "other"));
        Assert.Null(cache.Find("other", "name"));
    }

    [Fact]
    public void A_damaged_entry_counts_as_not_there_wherever_it_is_cut_or_changed()
    {
        var cache = new TreeCache(_directory["cache"], 10);
        cache.Add("digest", "name", Facts("alpha"));
        var path = Directory.GetFiles(_directory["cache"]).Single();
        var whole = File.ReadAllBytes(path);
        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Null(cache.Find("digest", "name"));
        }

        for (var at = 0; at < whole.Length; at += 7)
        {
            var changed = whole.ToArray();
            changed[at] ^= 1;
            File.WriteAllBytes(path, changed);
            Assert.Null(cache.Find("digest", "name"));
        }
    }

    [Fact]
    public void It_never_holds_more_than_it_may_and_keeps_the_newest()
    {
        var cache = new TreeCache(_directory["cache"], 20);
        for (var i = 0; i < 100; i++)
        {
            cache.Add($"digest{i}", "name", Facts("alpha"));
            Assert.True(Directory.GetFiles(_directory["cache"]).Length <= 20);
        }

        Assert.NotNull(cache.Find("digest99", "name"));
    }
}
