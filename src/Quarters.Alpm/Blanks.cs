using System.Buffers;
using System.Text;

namespace Quarters.Alpm;

/// <summary>White space as makepkg and repo-add treat it in values.</summary>
internal static class Blanks
{
    /// <summary>What is [[:space:]] to bash.</summary>
    private static readonly SearchValues<char> Space = SearchValues.Create(" \t\n\v\f\r");

    /// <summary>Runs of white space become one space, and none stays at the ends (makepkg's
    /// srcinfo_write_attr).</summary>
    public static string Fold(string value)
    {
        if (!value.AsSpan().ContainsAny(Space)) return value;
        var clean = new StringBuilder(value.Length);
        var space = false;
        foreach (var c in value)
        {
            if (c is ' ' or (>= '\t' and <= '\r'))
            {
                space = true;
                continue;
            }
            if (space && clean.Length > 0) clean.Append(' ');
            space = false;
            clean.Append(c);
        }
        return clean.ToString();
    }
}
