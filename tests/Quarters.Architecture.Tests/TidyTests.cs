using System.Reflection;
using System.Reflection.Metadata;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Quarters.Architecture.Tests;

/// <summary>What the house style says and no analyzer checks.</summary>
public sealed partial class TidyTests
{
    private const int MaxColumns = 120;
    private const int MaxFileLines = 400;

    /// <summary>Where every exception ends: the top of a loop, of a thread, of the program. Somebody sees
    /// each.</summary>
    private static readonly Dictionary<string, string> CatchAll = new(StringComparer.Ordinal)
    {
        ["src/Quarters.Builder/Building/BuildLoop.cs"] =
            "the top of all that a builder does at once: it ends the builder",
        ["src/Quarters/CommandLine.cs"] = "the top of the program: says it and exits",
        ["src/Quarters.Linux/Processes/ProcessRunner.cs"] =
            "the top of a thread: hands it to whoever awaits the process",
    };

    public static TheoryData<string> Projects => [.. House.Projects];

    [Fact]
    public void Lines_fit_into_120_columns() => House.None(
        from file in House.SourceFiles("src", "tests")
        from line in House.Lines(file).Index()
        where line.Item.Length > MaxColumns
        select $"{file}:{line.Index + 1}: {line.Item.Length} columns");

    [Fact]
    public void Files_are_short_enough_to_be_read_at_a_sitting() => House.None(
        from file in House.SourceFiles("src")
        let lines = House.Lines(file).Length
        where lines > MaxFileLines
        select $"{file}: {lines} lines, at most {MaxFileLines}");

    [Fact]
    public void Only_the_tops_of_loops_catch_everything()
    {
        var found = new List<string>();
        foreach (var file in House.SourceFiles("src"))
        {
            var lines = House.Lines(file);
            for (var i = 0; i < lines.Length; i++)
            {
                // A filter (`when`) says what is expected; cleaning up and throwing on hides nothing.
                if (CatchEverything().IsMatch(lines[i]) && !lines[i].Contains(" when ", StringComparison.Ordinal)
                    && !lines.Skip(i + 1).Take(2).Any(
                        line => line.TrimStart().StartsWith("when ", StringComparison.Ordinal))
                    && !lines.Skip(i + 1).TakeWhile(line => line.Trim() != "}").Any(line => line.Trim() == "throw;"))
                    found.Add($"{file}:{i + 1}");
            }
        }

        // Both ways: a place that catches no more leaves the list.
        Assert.Equal(
            CatchAll.Keys.Order(StringComparer.Ordinal),
            found.Select(place => place.Split(':')[0]).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_file_with_one_type_is_named_for_it() => House.None(
        from file in House.SourceFiles("src")
        let types = House.Lines(file).Select(line => TopLevelType().Match(line)).Where(match => match.Success).ToList()
        where types is [var only] && !only.Groups["partial"].Success
            && Path.GetFileNameWithoutExtension(file) != only.Groups["name"].Value
        select $"{file} holds the type {types[0].Groups["name"].Value}");

    [Fact]
    public void Nothing_is_left_for_later() => House.None(
        from file in House.SourceFiles("src", "tests")
        where Path.GetFileName(file) != nameof(TidyTests) + ".cs"
        from line in House.Lines(file).Index()
        where LeftOver().IsMatch(line.Item)
        select $"{file}:{line.Index + 1}: {line.Item.Trim()}");

    [Fact]
    public void Names_say_what_a_thing_is() => House.None(
        from project in House.Projects
        from name in House.Inspect(project, metadata => metadata.TypeDefinitions
            .Select(handle => metadata.GetString(metadata.GetTypeDefinition(handle).Name))
            .ToList())
        where !name.Contains('<') && VagueName().IsMatch(name)
        select $"{project}: {name}");

    [Theory]
    [MemberData(nameof(Projects))]
    public void Every_public_type_says_what_it_is(string project)
    {
        var name = project == "Quarters" ? "quarters" : project;
        var documented = XDocument.Load(Path.Combine(AppContext.BaseDirectory, name + ".xml"))
            .Descendants("member")
            .Where(member => member.Element("summary") is { } summary && summary.Value.Trim().Length > 0)
            .Select(member => member.Attribute("name")!.Value)
            .ToHashSet(StringComparer.Ordinal);
        House.None(House.Inspect(project, PublicTypes).Except(documented));
    }

    private static List<string> PublicTypes(MetadataReader metadata) =>
    [
        .. metadata.TypeDefinitions
            .Select(handle => metadata.GetTypeDefinition(handle))
            // The compiler puts Program, the class of a file of statements, into no namespace.
            .Where(type => (type.Attributes & TypeAttributes.VisibilityMask) == TypeAttributes.Public
                && !type.Namespace.IsNil)
            .Select(type => $"T:{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}"),
    ];

    [GeneratedRegex(@"^\s*catch(\s*\(Exception\b.*)?\s*\{?\s*$")]
    private static partial Regex CatchEverything();

    [GeneratedRegex(
        @"^[a-z ]*?(?<partial>partial )?(?:record struct|class|record|struct|interface|enum) (?<name>\w+)")]
    private static partial Regex TopLevelType();

    [GeneratedRegex(@"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedException")]
    private static partial Regex LeftOver();

    [GeneratedRegex("(Service|Manager|Helper|Helpers|Utils|Util|Utilities)$")]
    private static partial Regex VagueName();
}
