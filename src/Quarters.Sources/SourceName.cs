namespace Quarters.Sources;

/// <summary>The rule for names of sources: they become part of file names.</summary>
internal static class SourceName
{
    /// <exception cref="ArgumentException">The name breaks the rule.</exception>
    internal static void Check(string name)
    {
        if (name.Length is 0 or > 64
            || !name.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_'))
            throw new ArgumentException(
                $"The name of a source, '{name}', may only hold letters, digits, '-' and '_', at most 64.", nameof(
                    name));
    }
}
