namespace Quarters.Sources;

/// <summary>The rule for names of sources: they become part of file names.</summary>
public static class SourceName
{
    /// <summary>What <see cref="IsValid"/> wants, to complete a sentence.</summary>
    public const string Rule = "1 to 64 letters, digits, '-' or '_', the first one a letter or digit";

    /// <summary>Whether a text is a name: <see cref="Rule"/>.</summary>
    public static bool IsValid(string text) =>
        text.Length is > 0 and <= 64 && char.IsAsciiLetterOrDigit(text[0])
        && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_');

    /// <exception cref="SourceSettingsException">The name breaks the rule.</exception>
    internal static void Check(string name)
    {
        if (!IsValid(name))
            throw new SourceSettingsException($"The name '{name}' must be {Rule}.");
    }
}
