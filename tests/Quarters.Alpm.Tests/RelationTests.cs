using CsCheck;

namespace Quarters.Alpm.Tests;

public sealed class RelationTests
{
    private static readonly Gen<string> Near = Any.Text("ab1.:- <>=\té\n", 0, 12);

    private static readonly Gen<Relation> Valid = Gen.Select(
        Any.Of("foo", "lib:libz.so.1", "libssl.so", "perl(Foo::Bar)", "a-b+c@d"),
        Any.Of("", "=", "<", "<=", ">", ">="),
        Any.Of("1", "3-64", "1:2.3-4", "", "libfoo.so-64"),
        Any.Of("", ": ", ": why", ": one: two", ":  blanks "),
        (name, comparison, version, description) =>
            Relation.Parse(name + comparison + (comparison.Length > 0 ? version : "") + description));

    [Theory]
    [InlineData("foo", "foo", Comparison.Any, null, null)]
    [InlineData("foo>=1:2.3-4", "foo", Comparison.GreaterOrEqual, "1:2.3-4", null)]
    [InlineData("libssl.so=3-64", "libssl.so", Comparison.Equal, "3-64", null)]
    [InlineData("foo<2: why: because", "foo", Comparison.Less, "2", "why: because")]
    [InlineData("foo: a text with >= in it", "foo", Comparison.Any, null, "a text with >= in it")]
    [InlineData("foo<=", "foo", Comparison.LessOrEqual, "", null)]
    [InlineData("a>1=2", "a", Comparison.Greater, "1=2", null)]
    public void A_relation_is_read_as_libalpm_reads_it(
        string text, string name, Comparison comparison, string? version, string? description)
    {
        var relation = Relation.Parse(text);
        Assert.Equal((name, comparison, version, description),
            (relation.Name, relation.Comparison, relation.Version, relation.Description));
        Assert.Equal(text, relation.ToString());
    }

    [Theory]
    [InlineData("", "it has no name")]
    [InlineData("=1", "it has no name")]
    [InlineData("-Syu", "begins with a hyphen")]
    [InlineData("foo bar", "white space")]
    [InlineData("foo >= 1", "white space")]
    [InlineData("foo>=1 2", "white space")]
    [InlineData("a>b<c", "second comparison")]
    [InlineData("foo=1<2", "second comparison")]
    [InlineData("foo: one\ntwo", "control character")]
    public void What_is_no_relation_is_refused_with_the_reason(string text, string reason)
    {
        Assert.False(Relation.TryParse(text, out _));
        Assert.Contains(reason, Assert.Throws<AlpmFormatException>(() => Relation.Parse(text)).Message);
    }

    [Fact]
    public void A_relation_survives_being_printed_and_read() =>
        Valid.Sample(relation => Relation.Parse(relation.ToString()) == relation);

    [Fact]
    public void Any_text_is_printed_as_it_was_or_refused() =>
        Near.Sample(text => !Relation.TryParse(text, out var relation) || relation.ToString() == text);

    [Theory]
    [InlineData("foo", "1-1", true)]
    [InlineData("bar", "1-1", false)]
    [InlineData("foo=1", "1-7", true)]
    [InlineData("foo=1-6", "1-7", false)]
    [InlineData("foo>1", "1-7", false)]
    [InlineData("foo>=1", "1-7", true)]
    [InlineData("foo>=2", "1:1-1", true)]
    [InlineData("foo<1:2", "1:1-1", true)]
    [InlineData("foo<=1:1-1", "1:1-2", false)]
    public void A_package_satisfies_a_dependency_by_its_name_and_version(
        string dependency, string version, bool satisfied) =>
        Assert.Equal(satisfied, Relation.Parse(dependency).IsSatisfiedBy("foo", PackageVersion.Parse(version)));

    [Theory]
    [InlineData("foo", "foo", true)]
    [InlineData("foo", "foo=3", true)]
    [InlineData("foo=3", "foo", false)]
    [InlineData("foo>=3", "foo=3", true)]
    [InlineData("foo>=3", "foo>=3", false)]
    [InlineData("libssl.so=3-64", "libssl.so=3-64", true)]
    [InlineData("libssl.so=3-64", "libssl.so=1.1-64", false)]
    [InlineData("libssl.so=3-64", "libssl.so=3-32", false)]
    [InlineData("libssl.so", "libssl.so=3-64", true)]
    [InlineData("libssl.so=3", "libssl.so=3-64", true)]
    public void A_provision_satisfies_a_dependency_on_a_version_only_with_an_equal_sign(
        string dependency, string provision, bool satisfied) =>
        Assert.Equal(satisfied, Relation.Parse(dependency).IsSatisfiedBy(Relation.Parse(provision)));

    [Fact]
    public void A_package_satisfies_by_itself_or_by_what_it_provides()
    {
        Relation[] provides = [Relation.Parse("sh"), Relation.Parse("libbash=5")];
        var version = PackageVersion.Parse("5.2-1");
        Assert.True(Relation.Parse("sh").IsSatisfiedBy("bash", version, provides));
        Assert.True(Relation.Parse("bash>5").IsSatisfiedBy("bash", version, provides));
        Assert.False(Relation.Parse("sh>=1").IsSatisfiedBy("bash", version, provides));
        Assert.False(Relation.Parse("libbash>5").IsSatisfiedBy("bash", version, provides));
    }
}
