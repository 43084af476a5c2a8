namespace Quarters.Alpm;

/// <summary>Text or bytes are not what the pacman format says they must be.</summary>
/// <remarks>The only exception that readers of this library throw because of their input.
/// The message completes a sentence: where, what was found, and what was expected.</remarks>
public sealed class AlpmFormatException : FormatException
{
    /// <summary>An error somewhere in <paramref name="where"/>.</summary>
    /// <param name="where">The document and place, for example <c>.PKGINFO line 3</c>.</param>
    /// <param name="what">What is wrong there, as the rest of the sentence.</param>
    /// <param name="inner">What the library below said, if it was a library that noticed.</param>
    public AlpmFormatException(string where, string what, Exception? inner = null)
        : base($"{where}: {what}", inner)
    {
        Where = where;
        What = what;
    }

    /// <summary>The document and place, for example <c>.PKGINFO line 3</c>.</summary>
    public string Where { get; }

    /// <summary>What is wrong there.</summary>
    public string What { get; }

    /// <summary>Shortens untrusted text, so that a message never carries a megabyte or a control character.</summary>
    internal static string Quote(ReadOnlySpan<char> text)
    {
        const int longest = 80;
        var shown = text.Length > longest ? text[..longest] : text;
        return string.Create(shown.Length + (text.Length > longest ? 3 : 2), shown, static (quoted, shown) =>
        {
            quoted[0] = '\'';
            for (var i = 0; i < shown.Length; i++) quoted[i + 1] = char.IsControl(shown[i]) ? '?' : shown[i];
            if (quoted.Length > shown.Length + 2) quoted[^2] = '…';
            quoted[^1] = '\'';
        });
    }
}
