namespace Quarters.Core;

/// <summary>What an owner may call a farm, a node, or a repository.</summary>
public static class NodeName
{
    /// <summary>No name is longer than this many characters.</summary>
    public const int MaxLength = 64;

    /// <summary>What <see cref="IsValid"/> wants, to complete a sentence.</summary>
    public const string Rule = "1 to 64 letters, digits, '-', '_' or '.'";

    /// <summary>Whether a text is a name: <see cref="Rule"/>, the first one a letter or digit.</summary>
    public static bool IsValid(string text) =>
        text.Length is > 0 and <= MaxLength && char.IsAsciiLetterOrDigit(text[0])
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
