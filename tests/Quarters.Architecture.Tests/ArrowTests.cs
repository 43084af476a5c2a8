using System.Xml.Linq;

namespace Quarters.Architecture.Tests;

public sealed class ArrowTests
{
    public static TheoryData<string> Projects => [.. House.Projects];

    [Fact]
    public void The_plan_of_the_house_names_every_project() =>
        Assert.Equal(House.Arrows.Keys.Order(StringComparer.Ordinal), House.Projects.Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_refers_to_no_other_than_the_plan_allows(string project)
    {
        var file = XDocument.Load(Path.Combine(Checkout.Root, "src", project, project + ".csproj"));
        var references = file.Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));
        House.None(references.Except(House.Arrows[project]));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void An_assembly_uses_no_project_above_or_beside_it(string project)
    {
        var used = House.Inspect(project, metadata => metadata.AssemblyReferences
            .Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))
            .Where(name => name.StartsWith("Quarters", StringComparison.OrdinalIgnoreCase))
            .ToList());
        House.None(used.Except(House.Below(project)));
    }

    [Fact]
    public void Daemons_do_not_draw_on_terminals()
    {
        var users = House.Projects.Where(project => House.Inspect(project, metadata => metadata.AssemblyReferences
            .Any(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name)
                is "Spectre.Console" or "System.CommandLine")));
        Assert.Equal(["Quarters"], users);
    }
}
