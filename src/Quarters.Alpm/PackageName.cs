namespace Quarters.Alpm;

/// <summary>What may be the name of a package: makepkg's lint_pkgbuild/pkgname.sh.</summary>
/// <remarks>A valid name is also a safe file name: no slash, no control character, not hidden, no option.</remarks>
public static class PackageName
{
    /// <summary>The longest accepted name in characters.</summary>
    public const int MaxLength = 128;

    /// <summary>Is it a name that makepkg accepts for pkgname and pkgbase?</summary>
    public static bool IsValid(ReadOnlySpan<char> name) => Problem(name) is null;

    /// <summary>Returns the name.</summary>
    /// <exception cref="AlpmFormatException">makepkg would refuse it.</exception>
    public static string Check(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Problem(name) is { } problem
            ? throw new AlpmFormatException($"package name {AlpmFormatException.Quote(name)}", problem)
            : name;
    }

    /// <summary>What is wrong with a name, or null.</summary>
    internal static string? Problem(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty) return "it is empty";
        if (name.Length > MaxLength) return $"it is longer than {MaxLength} characters";
        if (name[0] is '-' or '.') return "it begins with a hyphen or a dot";
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '_' or '.' or '@' or '-'))
                return "only ASCII letters, digits and + _ . @ - are allowed";
        }

        return null;
    }

    /// <summary>Is it a word that may stand in <c>arch</c> (lint_pkgbuild/arch.sh)?</summary>
    internal static bool IsArchitecture(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text.Length > 32) return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_') return false;
        }
        return true;
    }
}
