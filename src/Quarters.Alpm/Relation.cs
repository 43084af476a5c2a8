using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Quarters.Alpm;

/// <summary>
/// One entry of depends, optdepends, provides, conflicts or replaces: <c>foo</c>, <c>foo&gt;=1:2.3-4</c>,
/// <c>libssl.so=3-64</c>, <c>foo: why one would want it</c>.
/// </summary>
/// <remarks>Read as libalpm's <c>alpm_dep_from_string</c> reads it. Names and versions may be whatever contains no
/// white space or comparison, since databases hold names that makepkg's lint never saw
/// (<c>lib:libz.so.1</c>).</remarks>
public sealed record Relation
{
    /// <summary>The longest accepted relation, with its description, in characters.</summary>
    public const int MaxLength = 4096;

    /// <summary>What nothing can be wrong with, but at the beginning: nearly all of a database.</summary>
    private static readonly SearchValues<char> Plain = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+_.@-:=/~");

    private Relation(string name, Comparison comparison, string? version, string? description)
    {
        Name = name;
        Comparison = comparison;
        Version = version;
        Description = description;
    }

    /// <summary>The package or what a package provides.</summary>
    public string Name { get; }

    /// <summary>How <see cref="Version"/> is compared; <see cref="Comparison.Any"/> when there is none.</summary>
    public Comparison Comparison { get; }

    /// <summary>The version, with or without release, as it is written; null exactly if any will do.</summary>
    public string? Version { get; }

    /// <summary>The text of an optional dependency; null for none.</summary>
    public string? Description { get; }

    /// <summary>Reads one relation.</summary>
    /// <exception cref="AlpmFormatException">It is not one.</exception>
    public static Relation Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryRead(text, out var relation) is { } problem
            ? throw new AlpmFormatException($"relation {AlpmFormatException.Quote(text)}", problem)
            : relation!;
    }

    /// <summary>Reads one relation; false if it is none.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Relation? relation)
    {
        relation = null;
        return text is not null && TryRead(text, out relation) is null;
    }

    /// <summary>Reads one relation, and returns what is wrong with it, or null.</summary>
    internal static string? TryRead(ReadOnlySpan<char> text, out Relation? relation)
    {
        relation = null;
        if (Problem(text) is { } problem) return problem;
        var parts = Parts.Of(text);
        relation = new Relation(
            parts.Name.ToString(),
            parts.Comparison,
            parts.Comparison == Comparison.Any ? null : parts.Version.ToString(),
            parts.HasDescription ? parts.Description.ToString() : null);
        return null;
    }

    /// <summary>What is wrong with a text that is to be a relation, or null.</summary>
    internal static string? Problem(ReadOnlySpan<char> text)
    {
        if (text.Length > MaxLength) return $"it is longer than {MaxLength} characters";
        if (text is [not ('-' or '='), ..] && !text.ContainsAnyExcept(Plain)) return null;
        var parts = Parts.Of(text);
        if (parts.Name.IsEmpty) return "it has no name";
        // A name that looks like an option would be one on some command line.
        if (parts.Name[0] == '-') return "its name begins with a hyphen";
        if (!IsWord(parts.Name) || parts.Name.Contains('=')) return "its name has white space or a second comparison";
        if (HasLineBreak(parts.Description)) return "its description has a control character";
        // An empty version is let pass, as makepkg does: PKGBUILDs compute them.
        return IsWord(parts.Version) ? null : "its version has white space or a second comparison";
    }

    /// <summary>Does a package of this name and version satisfy this dependency by itself?</summary>
    /// <remarks>A dependency without release ignores the package's.</remarks>
    public bool IsSatisfiedBy(string name, PackageVersion version)
    {
        ArgumentNullException.ThrowIfNull(version);
        return Name == name && Holds(version.ToString());
    }

    /// <summary>Does something provided satisfy this dependency?</summary>
    /// <remarks>A provision without version never satisfies a dependency on a version.</remarks>
    public bool IsSatisfiedBy(Relation provision)
    {
        ArgumentNullException.ThrowIfNull(provision);
        if (Name != provision.Name) return false;
        return Comparison == Comparison.Any
            || (provision.Comparison == Comparison.Equal && Holds(provision.Version!));
    }

    /// <summary>Does a package satisfy this dependency, by itself or by what it provides?</summary>
    public bool IsSatisfiedBy(string name, PackageVersion version, IEnumerable<Relation> provides)
    {
        ArgumentNullException.ThrowIfNull(provides);
        if (IsSatisfiedBy(name, version)) return true;
        foreach (var provision in provides)
        {
            if (IsSatisfiedBy(provision)) return true;
        }
        return false;
    }

    /// <summary>The relation without its description, as dependency resolution sees it.</summary>
    public Relation WithoutDescription() =>
        Description is null ? this : new Relation(Name, Comparison, Version, null);

    /// <summary>The text that was read.</summary>
    public override string ToString()
    {
        var symbol = Comparison switch
        {
            Comparison.Equal => "=",
            Comparison.Less => "<",
            Comparison.LessOrEqual => "<=",
            Comparison.Greater => ">",
            Comparison.GreaterOrEqual => ">=",
            _ => "",
        };
        return Description is null ? $"{Name}{symbol}{Version}" : $"{Name}{symbol}{Version}: {Description}";
    }

    private bool Holds(string version)
    {
        if (Comparison == Comparison.Any) return true;
        var order = VersionOrder.Compare(version, Version);
        return Comparison switch
        {
            Comparison.Equal => order == 0,
            Comparison.Less => order < 0,
            Comparison.LessOrEqual => order <= 0,
            Comparison.Greater => order > 0,
            _ => order >= 0,
        };
    }

    private static bool IsWord(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (c is '<' or '>' || char.IsWhiteSpace(c) || char.IsControl(c)) return false;
        }
        return true;
    }

    private static bool HasLineBreak(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (c != '\t' && char.IsControl(c)) return true;
        }
        return false;
    }

    /// <summary>Where a text would be cut, whatever may be wrong with the pieces.</summary>
    private readonly ref struct Parts
    {
        public ReadOnlySpan<char> Name { get; private init; }

        public Comparison Comparison { get; private init; }

        public ReadOnlySpan<char> Version { get; private init; }

        public bool HasDescription { get; private init; }

        public ReadOnlySpan<char> Description { get; private init; }

        public static Parts Of(ReadOnlySpan<char> text)
        {
            // The space tells a description from an epoch.
            var colon = text.IndexOf(": ");
            var relation = colon < 0 ? text : text[..colon];

            // Less is looked for first, then greater, then equal: libalpm's order.
            var at = relation.IndexOf('<');
            if (at < 0) at = relation.IndexOf('>');
            if (at < 0) at = relation.IndexOf('=');
            var orEqual = at >= 0 && relation[at] != '=' && at + 1 < relation.Length && relation[at + 1] == '=';
            return new Parts
            {
                Name = at < 0 ? relation : relation[..at],
                Comparison = at < 0 ? Comparison.Any : relation[at] switch
                {
                    '<' => orEqual ? Comparison.LessOrEqual : Comparison.Less,
                    '>' => orEqual ? Comparison.GreaterOrEqual : Comparison.Greater,
                    _ => Comparison.Equal,
                },
                Version = at < 0 ? default : relation[(at + (orEqual ? 2 : 1))..],
                HasDescription = colon >= 0,
                Description = colon < 0 ? default : text[(colon + 2)..],
            };
        }
    }
}
