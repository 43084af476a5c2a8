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
}
