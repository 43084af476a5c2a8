using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Quarters.Sources.Versioned;

namespace Quarters.Sources.Git;

/// <summary>Takes the output of <c>git log -z --name-only</c> as it comes and shows one commit after the
/// other.</summary>
internal sealed class GitLogReader(Func<GitCommit, bool> visit)
{
    /// <summary>What to give to <c>--format=</c>: fields end with NUL, and the first begins with a mark.</summary>
    internal const string Format = "format:%x01%H%x00%ct%x00%an%x00%ae%x00";

    private const int Fields = 4;

    private readonly List<byte> _token = [];
    private readonly List<string> _header = [];
    private readonly List<string> _paths = [];

    /// <summary>True once the visitor had enough.</summary>
    internal bool Stopped { get; private set; }

    /// <returns>False when the visitor had enough.</returns>
    internal bool Add(ReadOnlySpan<byte> bytes)
    {
        while (!Stopped && bytes.IndexOf((byte)0) is >= 0 and var end)
        {
            _token.AddRange(bytes[..end]);
            Take(Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(_token)));
            _token.Clear();
            bytes = bytes[(end + 1)..];
        }

        if (!Stopped)
            _token.AddRange(bytes);
        return !Stopped;
    }

    /// <summary>Shows the last commit.</summary>
    internal void Finish()
    {
        if (_token.Count > 0)
            Take(Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(_token)));
        Show();
    }

    private void Take(string text)
    {
        if (text.StartsWith('\u0001') && _header.Count is 0 or Fields)
        {
            Show();
            _header.Clear();
            _paths.Clear();
            _header.Add(text[1..]);
        }
        else if (_header.Count is > 0 and < Fields)
        {
            _header.Add(text);
        }
        else if (text.TrimStart('\n') is { Length: > 0 } path)
        {
            _paths.Add(path);
        }
    }

    private void Show()
    {
        if (Stopped || _header.Count < Fields)
            return;
        var seconds = long.TryParse(_header[1], CultureInfo.InvariantCulture, out var parsed) ? parsed : 0;
        Stopped = !visit(new GitCommit(_header[0], CommitTime.Of(seconds), _header[2], _header[3], [.. _paths]));
    }
}
