using System.Collections.Frozen;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Quarters.Architecture.Tests;

/// <summary>The checkout and the assemblies built from it.</summary>
internal static class House
{
    /// <summary>Which project may refer to which: the plan of the house, docs/internals/architecture.md.</summary>
    internal static readonly FrozenDictionary<string, string[]> Arrows = new Dictionary<string, string[]>
    {
        ["Quarters.Alpm"] = [],
        ["Quarters.Linux"] = [],
        ["Quarters.Core"] = ["Quarters.Alpm"],
        ["Quarters.Node"] = ["Quarters.Core", "Quarters.Linux"],
        ["Quarters.Simulation"] = ["Quarters.Core"],
        ["Quarters.Sources"] = ["Quarters.Core", "Quarters.Linux"],
        ["Quarters.Chroots"] = ["Quarters.Core", "Quarters.Linux"],
        ["Quarters.Master"] = ["Quarters.Node", "Quarters.Sources"],
        ["Quarters.Builder"] = ["Quarters.Node", "Quarters.Chroots"],
        ["Quarters"] = ["Quarters.Master", "Quarters.Builder", "Quarters.Simulation"],
    }.ToFrozenDictionary(StringComparer.Ordinal);

    internal static IEnumerable<string> Projects =>
        Directory.EnumerateDirectories(Checkout.PathOf("src")).Select(directory => Path.GetFileName(directory))
            .Order();

    /// <summary>Everything that a project reaches along the arrows.</summary>
    internal static HashSet<string> Below(string project) =>
        [.. Arrows[project].SelectMany(next => Below(next).Append(next))];

    /// <summary>Source files, their paths relative to the checkout.</summary>
    internal static IEnumerable<string> SourceFiles(params string[] tops) => tops
        .SelectMany(
            top => Directory.EnumerateFiles(Checkout.PathOf(top), "*.cs", SearchOption.AllDirectories))
        .Select(path => Path.GetRelativePath(Checkout.Root, path))
        .Order(StringComparer.Ordinal);

    internal static string[] Lines(string file) => File.ReadAllLines(Checkout.PathOf(file));

    /// <summary>Reads the metadata of a project's assembly, as it was built for these tests.</summary>
    internal static T Inspect<T>(string project, Func<MetadataReader, T> look)
    {
        var name = project == "Quarters" ? "quarters" : project;
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, name + ".dll"));
        using var image = new PEReader(file);
        return look(image.GetMetadataReader());
    }

    /// <summary>Fails with all that was found, a line each.</summary>
    internal static void None(IEnumerable<string> offences)
    {
        var all = offences.ToList();
        if (all.Count > 0)
            Assert.Fail(string.Join('\n', all));
    }
}
