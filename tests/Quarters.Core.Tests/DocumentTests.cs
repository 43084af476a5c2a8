using System.Text.Json;

namespace Quarters.Core.Tests;

/// <summary>What others write is read as the protocol says: members may be missing, and there may be more of
/// them.</summary>
public class DocumentTests
{
    [Fact]
    public void Members_that_a_peer_leaves_out_are_empty_and_unknown_ones_are_ignored()
    {
        var result = JsonSerializer.Deserialize(
            """
            {"job":"a","attempt":1,"snapshot":"s","outcome":"Built","started":"2026-11-22T00:00:00Z",
             "finished":"2026-11-22T00:00:00Z","unheardOf":{"a":[1]}}
            """,
            QuartersJson.Default.BuildResult)!;
        Assert.Empty(result.Files);
        Assert.Empty(result.Costs);
        Assert.Null(result.Failure);

        var node = JsonSerializer.Deserialize(
            """{"role":"master","name":"n","publicKey":"sha256:0","version":"1"}""",
            QuartersJson.Default.NodeDocument)!;
        Assert.Empty(node.Architectures);
        Assert.Empty(node.Links);
    }

    [Fact]
    public void A_member_that_must_be_there_and_is_not_makes_the_document_unreadable() =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(
            """{"attempt":1,"outcome":"Built"}""", QuartersJson.Default.BuildResult));

    [Theory]
    [InlineData("1:2.0-1", "zlib-1_2.0-1-x86_64-00000000")]
    [InlineData("2.0~rc1^git-1", "zlib-2.0_rc1_git-1-x86_64-00000000")]
    public void Every_version_that_makepkg_accepts_gives_an_id_that_builders_accept(string version, string id)
    {
        Assert.True(Quarters.Alpm.PackageVersion.TryParse(version, out _));
        Assert.Equal(id, Planning.JobId.Of("zlib", version, "x86_64", new string('0', 64)));
        Assert.True(Planning.JobId.IsValid(id));
    }
}
