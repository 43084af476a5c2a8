using System.Globalization;
using System.Text;
using Quarters.Core.Sources;
using Quarters.Sources.Versioned;

namespace Quarters.Sources.Git;

/// <summary>What git prints for programs, git-ls-tree(1) and git-diff-tree(1), with <c>-z</c>.</summary>
internal static class GitOutput
{
    /// <summary>A line of <c>ls-tree -l</c>: <c>MODE TYPE ID SIZE</c>, a tab, and the path.</summary>
    internal static ListedFile ParseEntry(string line)
    {
        var tab = line.IndexOf('\t');
        var words = line[..tab].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var size = words[3] == "-" ? 0 : long.Parse(words[3], CultureInfo.InvariantCulture);
        return new ListedFile(line[(tab + 1)..], words[2], size, KindOf(words[0]));
    }

    private static TreeEntryKind? KindOf(string mode) => mode switch
    {
        "160000" => null,
        "120000" => TreeEntryKind.Symlink,
        "100755" => TreeEntryKind.Executable,
        _ => TreeEntryKind.File,
    };

    /// <summary>A difference: <c>:MODE MODE ID ID STATUS</c>, before and now, and its path.</summary>
    internal static GitDifference ParseDifference(string facts, string path)
    {
        var words = facts.Split(' ');
        return new GitDifference(path, words[2], words[3], KindOf(words[1]));
    }

    /// <summary>What stands between bytes of zero.</summary>
    internal static IEnumerable<string> Strings(ReadOnlyMemory<byte> output)
    {
        while (output.Span.IndexOf((byte)0) is >= 0 and var end)
        {
            yield return Encoding.UTF8.GetString(output.Span[..end]);
            output = output[(end + 1)..];
        }
    }
}
