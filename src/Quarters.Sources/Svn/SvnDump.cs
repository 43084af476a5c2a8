using System.Globalization;
using System.Text;

namespace Quarters.Sources.Svn;

/// <summary>What happened to a path in a revision.</summary>
/// <param name="Revision">The revision.</param>
/// <param name="Path">The path in the repository.</param>
/// <param name="Kind"><c>file</c> or <c>dir</c>; empty for what was deleted.</param>
/// <param name="Action"><c>change</c>, <c>add</c>, <c>delete</c> or <c>replace</c>.</param>
/// <param name="IsPlain">True when it was not copied from elsewhere and nothing is said of properties, but for a new
/// file that it has none.</param>
/// <param name="BaseMd5">The MD5 of the text that the difference is to; empty where there was none.</param>
/// <param name="Md5">The MD5 of the new text; empty where the text did not change.</param>
/// <param name="Delta">The difference, for <see cref="SvnDelta"/>.</param>
internal readonly record struct SvnDumpNode(
    long Revision, string Path, string Kind, string Action, bool IsPlain, string BaseMd5, string Md5,
    ReadOnlyMemory<byte> Delta);

/// <summary>
/// Reads what <c>svnrdump dump --incremental</c> prints: every path that some revisions touched, in their order, each
/// text as its difference to the one before. So one question brings what else needs one for each package. Source:
/// <c>notes/dump-load-format.txt</c> of Subversion, version 3.
/// </summary>
internal static class SvnDump
{
    private const int NoProperties = 10; // the length of "PROPS-END\n"

    /// <summary>The paths that were touched up to a revision; null when it is no such dump, or ends before.</summary>
    internal static List<SvnDumpNode>? Read(ReadOnlyMemory<byte> dump, long until)
    {
        var nodes = new List<SvnDumpNode>();
        var revision = 0L;
        while (true)
        {
            while (!dump.IsEmpty && dump.Span[0] == '\n')
                dump = dump[1..];
            if (dump.IsEmpty)
                return revision >= until ? nodes : null;
            if (!TryHeaders(ref dump, out var headers)
                || Number(headers, "Content-length") is not { } length || length > dump.Length
                || Number(headers, "Prop-content-length") is not { } properties || properties > length)
                return null;
            if (headers.ContainsKey("Revision-number"))
                revision = Number(headers, "Revision-number") ?? 0;
            if (revision <= until && headers.TryGetValue("Node-path", out var path))
                nodes.Add(Node(revision, path, headers, (int)properties, dump[(int)properties..(int)length]));
            dump = dump[(int)length..];
        }
    }

    private static SvnDumpNode Node(
        long revision, string path, Dictionary<string, string> headers, int properties, ReadOnlyMemory<byte> text)
    {
        var action = headers.GetValueOrDefault("Node-action", "");
        var isPlain = !headers.ContainsKey("Node-copyfrom-path")
            && (properties == 0 || (properties == NoProperties && action == "add"))
            && (text.IsEmpty || headers.GetValueOrDefault("Text-delta") == "true");
        return new SvnDumpNode(
            revision, path, headers.GetValueOrDefault("Node-kind", ""), action, isPlain,
            headers.GetValueOrDefault("Text-delta-base-md5", ""), headers.GetValueOrDefault("Text-content-md5", ""),
            text);
    }

    private static bool TryHeaders(ref ReadOnlyMemory<byte> dump, out Dictionary<string, string> headers)
    {
        headers = new Dictionary<string, string>(StringComparer.Ordinal);
        while (dump.Span.IndexOf((byte)'\n') is >= 0 and var end)
        {
            var line = Encoding.UTF8.GetString(dump.Span[..end]);
            dump = dump[(end + 1)..];
            if (line.Length == 0)
                return true;
            var colon = line.IndexOf(": ", StringComparison.Ordinal);
            if (colon < 0)
                return false;
            headers[line[..colon]] = line[(colon + 2)..];
        }

        return false;
    }

    /// <summary>The number that a header tells, 0 where it is not there; null when that is none.</summary>
    private static long? Number(Dictionary<string, string> headers, string name) =>
        !headers.TryGetValue(name, out var text) ? 0
        : uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length
        : null;
}
