using System.Text.Json.Serialization;

namespace Quarters.Node.Tests;

public sealed record FarmConfiguration
{
    public required string Name { get; set; }

    public int Slots { get; set; } = 1;

    public Level Level { get; set; }

    public ListenConfiguration? Listen { get; set; }

    public IReadOnlyList<SourceConfiguration> Sources { get; set; } = [];

    public IReadOnlyDictionary<string, ListenConfiguration> Peers { get; set; } = new Dictionary<string,
        ListenConfiguration>();

    public IReadOnlyList<string> Architectures { get; set; } = [];

    public double Weight { get; set; } = 1;
}

public sealed record ListenConfiguration(string Address, int Port);

public sealed record SourceConfiguration
{
    public required string Location { get; init; }

    public bool Trusted { get; set; }
}

[JsonConverter(typeof(JsonStringEnumConverter<Level>))]
public enum Level
{
    [JsonStringEnumMemberName("quiet")]
    Quiet,
    [JsonStringEnumMemberName("loud")]
    Loud,
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(FarmConfiguration))]
internal sealed partial class FarmJson : JsonSerializerContext;

public sealed class ConfigurationTests
{
    [Fact]
    public void A_whole_file_becomes_the_record()
    {
        var read = Parse("""
            # A comment
            name = "oak"
            level = "loud"
            architectures = ["x86_64", "any"]
            weight = 1.5
            listen = { address = "127.0.0.1", port = 8443 }

            [[sources]]
            location = 'git://one'
            [[sources]]
            location = "two"
            trusted = true

            [peers.birch]
            address = "192.0.2.1"
            port = 1
            """);

        Assert.Equal("oak", read.Name);
        Assert.Equal(Level.Loud, read.Level);
        Assert.Equal(["x86_64", "any"], read.Architectures);
        Assert.Equal(1.5, read.Weight);
        Assert.Equal(new ListenConfiguration("127.0.0.1", 8443), read.Listen);
        Assert.Equal(["git://one", "two"], read.Sources.Select(source => source.Location));
        Assert.True(read.Sources[1].Trusted);
        Assert.Equal(1, read.Peers["birch"].Port);
        Assert.Equal(1, read.Slots);
    }

    [Fact]
    public void Tables_may_be_told_in_any_order()
    {
        var read = Parse("""
            name = "oak"
            [peers.a]
            address = "one"
            [listen]
            address = "here"
            port = 3
            [peers.b]
            address = "two"
            port = 2
            [peers]
            c.address = "three"
            c.port = 4
            a2 = { address = "x", port = 5 }
            """.Replace("[peers.a]\naddress", "[peers.a]\nport = 9\naddress", StringComparison.Ordinal));

        Assert.Equal(["a", "a2", "b", "c"], read.Peers.Keys.Order());
        Assert.Equal(9, read.Peers["a"].Port);
        Assert.Equal("here", read.Listen!.Address);
    }

    [Theory]
    [InlineData("name = \"oak\"\nslot = 3\n", "farm.toml:2:1: there is no key \"slot\" here; did you mean \"slots\"?")]
    [InlineData("name = \"oak\"\n[[sources]]\nlocation = \"a\"\n[[sources]]\nlocation = \"b\"\ntrustd = true\n",
        "farm.toml:6:1: there is no key \"trustd\" here; did you mean \"trusted\"?")]
    [InlineData("name = \"oak\"\n[peers.birch]\nadress = \"x\"\nport = 1\n",
        "farm.toml:3:1: there is no key \"adress\" here; did you mean \"address\"?")]
    [InlineData("name = \"oak\"\nlisten = { address = \"a\", prt = 1 }\n",
        "farm.toml:2:27: there is no key \"prt\" here; did you mean \"port\"?")]
    [InlineData("name = \"oak\"\n[listen]\nsomething-else = 1\n",
        "farm.toml:3:1: there is no key \"something-else\" here; the keys are address, port")]
    public void An_unknown_key_is_an_error_with_its_place_and_a_suggestion(string text, string expected)
    {
        var refused = Assert.Throws<ConfigurationException>(() => Parse(text));

        Assert.Equal([expected], refused.Problems);
    }

    [Fact]
    public void All_unknown_keys_are_told_at_once()
    {
        var refused = Assert.Throws<ConfigurationException>(() => Parse("name = \"oak\"\nfoo = 1\nbar = 2\n"));

        Assert.Equal(2, refused.Problems.Count);
    }

    [Theory]
    [InlineData("slots = 3\n", "farm.toml:1:1: the key \"name\" is missing")]
    [InlineData("name = \"oak\"\n[[sources]]\nlocation = \"a\"\n[[sources]]\ntrusted = true\n",
        "farm.toml:5:1: sources[1]: the key \"location\" is missing")]
    [InlineData("name = \"oak\"\n[peers.birch]\nport = 1\n",
        "farm.toml:2:8: peers.birch: the key \"address\" is missing")]
    [InlineData("name = 3\n", "farm.toml:1:1: name: it must be text, in quotes")]
    [InlineData("name = \"oak\"\nslots = \"three\"\n", "farm.toml:2:1: slots: it must be a whole number")]
    [InlineData("name = \"oak\"\nslots = 1.5\n", "farm.toml:2:1: slots: it must be a whole number")]
    [InlineData("name = \"oak\"\nslots = 3000000000\n", "farm.toml:2:1: slots: the number is too large")]
    [InlineData("name = \"oak\"\nweight = inf\n", "farm.toml:2:1: weight: it must be a number")]
    [InlineData("name = \"oak\"\narchitectures = \"any\"\n",
        "farm.toml:2:1: architectures: it must be a list, in [ ]")]
    [InlineData("name = \"oak\"\narchitectures = [\"any\", 1]\n",
        "farm.toml:2:25: architectures[1]: it must be text, in quotes")]
    [InlineData("name = \"oak\"\nlisten = \"a\"\n",
        "farm.toml:2:1: listen: it must be a table, with keys of its own")]
    [InlineData("name = \"oak\"\n[[sources]]\nlocation = \"a\"\ntrusted = 1\n",
        "farm.toml:4:1: sources[0].trusted: it must be true or false")]
    public void A_missing_key_or_a_wrong_value_is_told_in_words_of_the_file(string text, string expected)
    {
        var refused = Assert.Throws<ConfigurationException>(() => Parse(text));

        Assert.Equal([expected], refused.Problems);
    }

    [Theory]
    [InlineData("name = \"oak\"\nlevel = \"shy\"\n", "farm.toml:2:1: level: ")]
    [InlineData("name = \"oak\"\nname = \"elm\"\n", "farm.toml:2:1: ")]
    [InlineData("name = \n", "farm.toml:1:8: ")]
    public void What_is_wrong_is_told_with_file_line_and_column(string text, string beginning)
    {
        var refused = Assert.Throws<ConfigurationException>(() => Parse(text));

        Assert.StartsWith(beginning, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_told_by_its_path()
    {
        var refused = Assert.Throws<ConfigurationException>(
            () => Configuration.Load("/nonexistent/quarters.toml", FarmJson.Default.FarmConfiguration));

        Assert.StartsWith("/nonexistent/quarters.toml: the file cannot be read", refused.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_is_read()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["farm.toml"], "name = \"oak\"\n");

        Assert.Equal("oak", Configuration.Load(directory["farm.toml"], FarmJson.Default.FarmConfiguration).Name);
    }

    private static FarmConfiguration Parse(string text) =>
        Configuration.Parse(text, "farm.toml", FarmJson.Default.FarmConfiguration);
}
