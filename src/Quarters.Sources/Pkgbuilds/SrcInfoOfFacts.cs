using System.Collections.Immutable;
using Quarters.Alpm;

namespace Quarters.Sources.Pkgbuilds;

/// <summary>The .SRCINFO of a PKGBUILD whose facts are good: what makepkg's <c>srcinfo.sh</c> would write.</summary>
internal static class SrcInfoOfFacts
{
    /// <exception cref="AlpmFormatException">A name stands there twice, or the like.</exception>
    internal static SrcInfo Create(PkgbuildFacts facts)
    {
        var fields = PkgbuildSchema.BaseFields.Concat(ForArchitectures(facts.Architectures));
        var global = new SrcInfoSection(facts.PackageBase, fields.SelectMany(field => Global(facts, field)));
        return new SrcInfo(global, facts.PackageNames.Select(name => Package(facts, name)));
    }

    private static IEnumerable<KeyValuePair<string, IReadOnlyList<string>>> Global(PkgbuildFacts facts, string field)
    {
        var values = facts.Values(field);
        if (PkgbuildSchema.Strings.Contains(field) ? facts.Text(field).Length > 0 : values.Length > 0)
            yield return KeyValuePair.Create<string, IReadOnlyList<string>>(field, values);
    }

    private static SrcInfoSection Package(PkgbuildFacts facts, string name)
    {
        var own = facts.Overrides.Where(one => one.Package == name)
            .ToDictionary(one => one.Attribute, StringComparer.Ordinal);
        var architectures = own.TryGetValue("arch", out var arch) ? arch.Values : facts.Architectures;
        var fields = PkgbuildSchema.PackageFields.Concat(ForArchitectures(architectures)).Where(own.ContainsKey);
        return new SrcInfoSection(
            name, fields.Select(field => KeyValuePair.Create<string, IReadOnlyList<string>>(field, own[field].Values)));
    }

    private static IEnumerable<string> ForArchitectures(ImmutableArray<string> architectures) =>
        from architecture in architectures.Distinct(StringComparer.Ordinal)
        where architecture != "any"
        from field in PkgbuildSchema.ArchitectureArrays
        select $"{field}_{architecture}";
}
