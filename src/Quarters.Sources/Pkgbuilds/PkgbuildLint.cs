using System.Collections.Immutable;

namespace Quarters.Sources.Pkgbuilds;

/// <summary>
/// Why makepkg would refuse a PKGBUILD that bash could read: the rules of its <c>lint_pkgbuild</c>, in its order and
/// its words. Unlike <c>--printsrcinfo</c>, which does not look, a PKGBUILD without any <c>arch</c> is refused too,
/// because it can not be built.
/// </summary>
internal static class PkgbuildLint
{
    private static readonly char[] Comparisons = ['<', '>', '='];

    /// <summary>All reasons; empty for a good PKGBUILD.</summary>
    internal static ImmutableArray<string> Check(PkgbuildFacts facts) =>
    [
        .. Architectures(facts), .. ArchitectureSpecific(facts), .. Backup(facts), .. Missing(facts, "changelog"),
        .. Relations(facts, "checkdepends"), .. Relations(facts, "conflicts"), .. Relations(facts, "depends"),
        .. Epoch(facts.Text("epoch"), ""), .. Missing(facts, "install"), .. Relations(facts, "makedepends"),
        .. Relations(facts, "optdepends"), .. Options(facts), .. PackageFunctions(facts), .. FunctionVariables(facts),
        .. facts.Text("pkgbase") is { Length: > 0 } name ? Name("pkgbase", name) : [], .. Names(facts),
        .. Release(facts.Text("pkgrel"), ""), .. Version(facts.Text("pkgver"), ""), .. Provides(facts),
        .. Source(facts), .. Kinds(facts),
    ];

    private static IEnumerable<string> Architectures(PkgbuildFacts facts)
    {
        if (facts.Architectures.IsEmpty)
            yield return "arch is not allowed to be empty.";
        if (facts.Architectures.Contains("any") && facts.Architectures.Length > 1)
            yield return "Can not use 'any' architecture with other architectures";
        foreach (var architecture in facts.Architectures)
        {
            if (Others(architecture, "_") is { Length: > 0 } invalid)
                yield return $"arch contains invalid characters: '{invalid}'";
        }
    }

    private static IEnumerable<string> ArchitectureSpecific(PkgbuildFacts facts)
    {
        var overrides = facts.Overrides.Select(one => one.Attribute);
        foreach (var name in facts.Variables.Keys.Order(StringComparer.Ordinal).Concat(overrides))
        {
            if (Suffix(facts, name) is not var (attribute, architecture))
                continue;
            if (!PkgbuildSchema.ArchitectureArrays.Contains(attribute))
                yield return $"{attribute} can not be architecture specific: {name}";
            else if (architecture == "any")
                yield return $"Can not provide architecture specific variables for the 'any' architecture: {name}";
        }
    }

    private static IEnumerable<string> Backup(PkgbuildFacts facts) =>
        All(facts, "backup").Where(entry => entry.StartsWith('/'))
            .Select(entry => $"backup entry should not contain leading slash : {entry}");

    private static IEnumerable<string> Missing(PkgbuildFacts facts, string attribute) =>
        facts.MissingFiles.Where(missing => missing.Attribute == attribute)
            .Select(missing => $"{attribute} file ({missing.File}) does not exist or is not a regular file.");

    private static IEnumerable<string> Relations(PkgbuildFacts facts, string attribute)
    {
        foreach (var entry in AllOfEveryArchitecture(facts, attribute))
        {
            var relation = attribute == "optdepends" ? WithoutDescription(entry) : entry;
            var at = relation.IndexOfAny(Comparisons);
            foreach (var problem in Name(attribute, at < 0 ? relation : relation[..at]))
                yield return problem;
            if (at < 0)
                continue;
            var orEqual = relation[at] != '=' && at + 1 < relation.Length && relation[at + 1] == '=';
            var version = relation[(at + (orEqual ? 2 : 1))..];
            // Dependencies with a version that is computed and came out empty are let pass: makepkg does.
            if (version.Length == 0 && attribute == "depends")
                continue;
            foreach (var problem in FullVersion(version, " in " + attribute))
                yield return problem;
        }
    }

    private static IEnumerable<string> Provides(PkgbuildFacts facts)
    {
        foreach (var entry in AllOfEveryArchitecture(facts, "provides"))
        {
            if (entry.AsSpan().IndexOfAny('<', '>') >= 0)
            {
                yield return "provides array cannot contain comparison (< or >) operators.";
                continue;
            }

            var at = entry.LastIndexOf('=');
            foreach (var problem in Name("provides", at < 0 ? entry : entry[..at]))
                yield return problem;
            foreach (var problem in at < 0 ? [] : FullVersion(entry[(at + 1)..], " in provides"))
                yield return problem;
        }
    }

    private static IEnumerable<string> Options(PkgbuildFacts facts) =>
        All(facts, "options")
            .Where(option => !PkgbuildSchema.Options.Contains(option.StartsWith('!') ? option[1..] : option))
            .Select(option => $"options array contains unknown option '{option}'");

    private static IEnumerable<string> PackageFunctions(PkgbuildFacts facts)
    {
        var package = facts.Functions.Contains("package");
        if (facts.PackageNames is [var only])
        {
            var own = facts.Functions.Contains("package_" + only);
            if (package && own)
                yield return $"Conflicting package() and package_{only}() functions in PKGBUILD";
            else if (facts.Functions.Contains("build") && !package && !own)
                yield return "Missing package() function in PKGBUILD";
            yield break;
        }

        if (package)
            yield return $"Extra package() function for split package '{facts.PackageBase}'";
        foreach (var name in facts.PackageNames)
        {
            if (!facts.Functions.Contains("package_" + name))
                yield return $"Missing package_{name}() function for split package '{name}'";
        }
    }

    private static IEnumerable<string> FunctionVariables(PkgbuildFacts facts)
    {
        foreach (var attribute in facts.Overrides.Select(one => one.Attribute))
        {
            var suffix = Suffix(facts, attribute);
            if (suffix?.Architecture != "any" && !PkgbuildSchema.PackageOverrides.Contains(
                suffix?.Attribute ?? attribute))
                yield return $"{attribute} can not be set inside a package function";
        }
    }

    private static IEnumerable<string> Names(PkgbuildFacts facts) =>
        facts.PackageNames.All(name => name.Length == 0)
            ? ["pkgname is not allowed to be empty."]
            : facts.PackageNames.SelectMany(name => Name("pkgname", name));

    private static IEnumerable<string> Source(PkgbuildFacts facts) =>
        facts.Variables.TryGetValue("source", out var source) && source.Kind == VariableKind.SparseArray
            ? ["Sparse arrays are not allowed for source"]
            : [];

    private static IEnumerable<string> Kinds(PkgbuildFacts facts)
    {
        foreach (var (name, variable) in facts.Variables.OrderBy(one => one.Key, StringComparer.Ordinal))
        {
            var isArray = variable.Kind is VariableKind.Array or VariableKind.SparseArray;
            if (Kind(Suffix(facts, name)?.Attribute ?? name, name, isArray) is { } problem)
                yield return problem;
        }

        foreach (var one in facts.Overrides)
        {
            if (Kind(Suffix(
                facts, one.Attribute)?.Attribute ?? one.Attribute, one.Attribute, one.IsArray) is { } problem)
                yield return problem;
        }
    }

    private static string? Kind(string attribute, string name, bool isArray)
    {
        if (PkgbuildSchema.Arrays.Contains(attribute) && !isArray)
            return $"{name} should be an array";
        return PkgbuildSchema.Strings.Contains(attribute) && isArray ? $"{name} should not be an array" : null;
    }

    private static IEnumerable<string> Name(string type, string name)
    {
        if (name.Length == 0)
        {
            yield return $"{type} is not allowed to be empty.";
            yield break;
        }

        if (name[0] == '-')
            yield return $"{type} is not allowed to start with a hyphen.";
        if (name[0] == '.')
            yield return $"{type} is not allowed to start with a dot.";
        if (!name.All(char.IsAscii))
            yield return $"{type} may only contain ascii characters.";
        else if (Others(name, "+_.@-") is { Length: > 0 } invalid)
            yield return $"{type} contains invalid characters: '{invalid}'";
    }

    // Split as libalpm splits: at the first colon and at the last hyphen.
    private static IEnumerable<string> FullVersion(string version, string where)
    {
        var colon = version.IndexOf(':');
        foreach (var problem in colon < 0 ? [] : Epoch(version[..colon], where))
            yield return problem;
        version = version[(colon + 1)..];
        var hyphen = version.LastIndexOf('-');
        foreach (var problem in hyphen <= 0 ? [] : Release(version[(hyphen + 1)..], where))
            yield return problem;
        foreach (var problem in Version(hyphen <= 0 ? version : version[..hyphen], where))
            yield return problem;
    }

    private static IEnumerable<string> Epoch(string epoch, string where) =>
        epoch.All(char.IsAsciiDigit) ? [] : [$"epoch{where} must be an integer, not {epoch}."];

    private static IEnumerable<string> Release(string release, string where)
    {
        if (release.Length == 0)
            return [$"pkgrel{where} is not allowed to be empty."];
        var parts = release.Split('.');
        return parts.Length <= 2 && parts.All(part => part.Length > 0 && part.All(char.IsAsciiDigit))
            ? []
            : [$"pkgrel{where} must be of the form 'integer[.integer]', not {release}."];
    }

    private static IEnumerable<string> Version(string version, string where)
    {
        if (version.Length == 0)
            return [$"pkgver{where} is not allowed to be empty."];
        if (version.Any(character => character is ':' or '/' or '-' || char.IsWhiteSpace(character)))
            return [$"pkgver{where} is not allowed to contain colons, forward slashes, hyphens or whitespace."];
        return version.All(char.IsAscii) ? [] : [$"pkgver{where} may only contain ascii characters."];
    }

    private static string WithoutDescription(string entry)
    {
        for (var at = entry.IndexOf(':'); at >= 0; at = entry.IndexOf(':', at + 1))
        {
            if (at + 1 < entry.Length && char.IsWhiteSpace(entry[at + 1]))
                return entry[..at];
        }

        return entry;
    }

    private static IEnumerable<string> All(PkgbuildFacts facts, string attribute) =>
        facts.Values(attribute).Concat(facts.Overrides
            .Where(one => one.IsArray && one.Attribute == attribute).SelectMany(one => one.Values)).Distinct(
                StringComparer.Ordinal);

    private static IEnumerable<string> AllOfEveryArchitecture(PkgbuildFacts facts, string attribute) =>
        facts.Architectures.Select(architecture => $"{attribute}_{architecture}").Prepend(attribute)
            .SelectMany(name => All(facts, name)).Distinct(StringComparer.Ordinal);

    private static (string Attribute, string Architecture)? Suffix(PkgbuildFacts facts, string name)
    {
        foreach (var architecture in facts.Architectures)
        {
            if (name.EndsWith("_" + architecture, StringComparison.Ordinal))
                return (name[..^(architecture.Length + 1)], architecture);
        }

        return null;
    }

    private static string Others(string text, string allowed) =>
        new([.. text.Where(character => !char.IsAsciiLetterOrDigit(character) && !allowed.Contains(character))]);
}
