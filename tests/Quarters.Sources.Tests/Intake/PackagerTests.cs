using Quarters.Sources.Intake;

namespace Quarters.Sources.Tests.Intake;

public sealed class PackagerTests
{
    [Theory]
    [InlineData("# Maintainer: Ada <ada@example.org>\n", "Ada <ada@example.org>")]
    [InlineData("#Maintainer : nobody\n# maintainer:  Ada  B.   <ada@example.org> (since 2020)\n",
        "Ada  B. <ada@example.org>")]
    [InlineData("pkgname=x # Maintainer: Ada <ada@example.org>\n", null)]
    [InlineData("# Contributor: Bob <bob@example.org>\n", null)]
    [InlineData("# Maintainer: ada at example dot org\n", null)]
    public void The_maintainer_line_is_found(string text, string? packager) =>
        Assert.Equal(packager, MaintainerLine.Find(TestTrees.Of(TestTrees.File("PKGBUILD", text))));

    [Fact]
    public void A_name_cannot_smuggle_lines_or_brackets_into_the_package()
    {
        Assert.Equal("Adapackager = Eve <ada@example.org>", Packager.Create(
            "Ada\npackager = Eve <", "ada@example.org>"));
        Assert.Equal("ada <ada@example.org>", Packager.Create(" \t", "ada@example.org"));
        Assert.Null(Packager.Create("", ""));
    }

    [Fact]
    public void A_line_of_the_map_that_is_neither_form_is_named()
    {
        using var directory = new TestDirectory();
        directory.Write("map", "a@example.org = A <a@example.org>\nnonsense\n");

        var failure = Assert.Throws<SourceUnreachableException>(() => PackagerMap.Load(directory["map"]));

        Assert.Contains("Line 2", failure.Message, StringComparison.Ordinal);
    }
}
