using Quarters.Linux.Processes;

namespace Quarters.Sources;

/// <summary>What a program said before it failed, short enough for a line of <c>status</c>.</summary>
internal static class LastWords
{
    private const int MaxLines = 3;
    private const int MaxLength = 500;

    internal static string Of(ProcessResult result) => Of(result.StandardError);

    internal static string Of(string text)
    {
        var words = string.Join(' ', text.Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(MaxLines));
        words = new string([.. words.Select(character => char.IsControl(character) ? ' ' : character)]).Trim();
        return words.Length switch
        {
            0 => "it said nothing",
            > MaxLength => "…" + words[^MaxLength..],
            _ => words,
        };
    }
}
