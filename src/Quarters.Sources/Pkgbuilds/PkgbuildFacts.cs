using System.Collections.Immutable;
using System.Text;

namespace Quarters.Sources.Pkgbuilds;

/// <summary>What kind of variable bash holds.</summary>
internal enum VariableKind
{
    /// <summary>A string.</summary>
    Text,

    /// <summary>An array whose indices run from 0 without a gap.</summary>
    Array,

    /// <summary>An array with gaps.</summary>
    SparseArray,

    /// <summary>An associative array.</summary>
    Map,
}

/// <summary>A global variable of the PKGBUILD.</summary>
internal sealed record PkgbuildVariable(VariableKind Kind, ImmutableArray<string> Values);

/// <summary>What one package function sets: the value with the global one and all of its assignments applied.</summary>
internal sealed record PkgbuildOverride(string Package, string Attribute, bool IsArray, ImmutableArray<string> Values);

/// <summary>A file that <c>install</c> or <c>changelog</c> names and that is not there.</summary>
internal sealed record MissingFile(string Attribute, string File);

/// <summary>Everything that bash told of one PKGBUILD, not judged yet. The lines are those of
/// read-pkgbuilds.bash.</summary>
internal sealed record PkgbuildFacts
{
    internal required ImmutableDictionary<string, PkgbuildVariable> Variables { get; init; }

    internal required ImmutableArray<PkgbuildOverride> Overrides { get; init; }

    internal required ImmutableHashSet<string> Functions { get; init; }

    internal required ImmutableArray<MissingFile> MissingFiles { get; init; }

    internal ImmutableArray<string> PackageNames => Values("pkgname");

    internal ImmutableArray<string> Architectures => Values("arch");

    internal string PackageBase => Text("pkgbase") is { Length: > 0 } name ? name : PackageNames.FirstOrDefault("");

    internal ImmutableArray<string> Values(string name) =>
        Variables.TryGetValue(name, out var variable) ? variable.Values : [];

    /// <summary>The string, or the first element as <c>$name</c> gives it; empty when there is none.</summary>
    internal string Text(string name) => Values(name).FirstOrDefault("");

    /// <summary>Reads the lines; null when they do not come to their end, because the PKGBUILD ended the
    /// shell.</summary>
    internal static PkgbuildFacts? Parse(ReadOnlySpan<byte> utf8)
    {
        var variables = ImmutableDictionary.CreateBuilder<string, PkgbuildVariable>(StringComparer.Ordinal);
        var overrides = ImmutableArray.CreateBuilder<PkgbuildOverride>();
        var functions = ImmutableHashSet.CreateBuilder<string>(StringComparer.Ordinal);
        var missing = ImmutableArray.CreateBuilder<MissingFile>();
        var lines = Encoding.UTF8.GetString(utf8).Split('\n');
        for (var i = 0; i < lines.Length;)
        {
            var words = lines[i++].Split(' ');
            if (words is ["."])
                return new PkgbuildFacts
                {
                    Variables = variables.ToImmutable(),
                    Overrides = overrides.ToImmutable(),
                    Functions = functions.ToImmutable(),
                    MissingFiles = missing.ToImmutable(),
                };
            var values = ImmutableArray.CreateBuilder<string>();
            while (i < lines.Length && lines[i].StartsWith('='))
                values.Add(Unescape(lines[i++].AsSpan(1)));
            switch (words)
            {
                case ["V", var kind, var name]:
                    variables[name] = new PkgbuildVariable(Kind(kind), values.ToImmutable());
                    break;
                case ["O", var kind, var package, var attribute]:
                    overrides.Add(new PkgbuildOverride(package, attribute, kind == "a", values.ToImmutable()));
                    break;
                case ["F", var name]:
                    functions.Add(name);
                    break;
                case ["M", var attribute] when values.Count > 0:
                    missing.Add(new MissingFile(attribute, values[0]));
                    break;
                default:
                    return null;
            }
        }

        return null;
    }

    private static VariableKind Kind(string letter) => letter switch
    {
        "a" => VariableKind.Array,
        "g" => VariableKind.SparseArray,
        "m" => VariableKind.Map,
        _ => VariableKind.Text,
    };

    private static string Unescape(ReadOnlySpan<char> text)
    {
        if (!text.Contains('\\'))
            return text.ToString();
        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
            {
                plain.Append(text[i]);
                continue;
            }

            i++;
            plain.Append(text[i] == 'n' ? '\n' : text[i]);
        }

        return plain.ToString();
    }
}
