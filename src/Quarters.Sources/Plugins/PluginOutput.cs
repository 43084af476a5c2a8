using System.Text;
using System.Text.Json;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Plugins;

/// <summary>A package that a plug-in named: where its files are, and what it says of them.</summary>
internal sealed record PluginPackage(
    string Path, string Directory, string Revision, DateTimeOffset? Time, Author? Author);

/// <summary>All that a plug-in printed, checked: nothing in it is longer or stranger than it may be.</summary>
/// <param name="Packages">What is new or changed, by path.</param>
/// <param name="Removed">Paths that hold a package no more.</param>
/// <param name="Cursor">Where the next poll goes on.</param>
/// <param name="Complete">Whether what is not among <paramref name="Packages"/> is gone.</param>
internal sealed record PluginOutput(
    SortedDictionary<string, PluginPackage> Packages, SortedSet<string> Removed, string Cursor, bool Complete)
{
    internal const int MaxCursorLength = 4096;
    private const int MaxPackages = 200_000;
    private const int MaxPathLength = 512;
    private const int MaxRevisionLength = 200;
    private const int MaxShown = 80;

    /// <summary>Reads what a plug-in printed.</summary>
    /// <param name="utf8">Its standard output, whole.</param>
    /// <param name="workDirectory">The directory that it worked in.</param>
    /// <exception cref="SourceUnreachableException">A line is not as it must be; the message completes "plug-in
    /// …".</exception>
    internal static PluginOutput Parse(ReadOnlySpan<byte> utf8, string workDirectory)
    {
        var packages = new SortedDictionary<string, PluginPackage>(StringComparer.Ordinal);
        var removed = new SortedSet<string>(StringComparer.Ordinal);
        PluginLine? last = null;
        var number = 0;
        while (!utf8.IsEmpty)
        {
            number++;
            var end = utf8.IndexOf((byte)'\n');
            var bytes = end < 0 ? utf8 : utf8[..end];
            utf8 = end < 0 ? [] : utf8[(end + 1)..];
            if (bytes.Trim(" \t\r"u8).IsEmpty)
                continue;
            if (last is not null)
                throw Bad(number, bytes, "stands behind the cursor, which must be the last");
            var line = Line(number, bytes);
            switch (line)
            {
                case { Package: { } path, Directory: { Length: > 0 } directory, Removed: null, Cursor: null }:
                    packages[CheckPath(number, bytes, path)] = new PluginPackage(
                        path, Path.GetFullPath(directory, workDirectory), CheckRevision(number, bytes, line.Revision),
                        line.Time, line.Author is { } author ? Author.Parse(author) : null);
                    break;
                case { Removed: { } path, Package: null, Cursor: null }:
                    removed.Add(CheckPath(number, bytes, path));
                    break;
                case { Cursor: { Length: <= MaxCursorLength } cursor, Package: null, Removed: null }
                    when !cursor.Any(char.IsControl):
                    last = line;
                    break;
                default:
                    throw Bad(number, bytes, "is none of {\"package\", \"directory\"}, {\"removed\"} and {\"cursor\"}");
            }

            if (packages.Count > MaxPackages || removed.Count > MaxPackages)
                throw new SourceUnreachableException($"names more than {MaxPackages} packages");
        }

        if (last is null)
            throw new SourceUnreachableException("ended without {\"cursor\": …} as its last line");
        removed.ExceptWith(packages.Keys);
        return new PluginOutput(packages, removed, last.Cursor!, last.Complete);
    }

    private static PluginLine Line(int number, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, PluginJson.Default.PluginLine)
                ?? throw Bad(number, bytes, "says nothing");
        }
        catch (JsonException)
        {
            throw Bad(number, bytes, "is not a JSON object of the members that a plug-in may print");
        }
    }

    // Empty is the top: a source that is one package.
    private static string CheckPath(int number, ReadOnlySpan<byte> line, string path) =>
        path.Length <= MaxPathLength && !path.Any(char.IsControl)
        && (path.Length == 0 || path.Split('/').All(part => part is not ("" or "." or "..")))
            ? path
            : throw Bad(number, line, "has a path that is not one: no '.', '..', control characters, or '/' at an end");

    private static string CheckRevision(int number, ReadOnlySpan<byte> line, string? revision) =>
        revision is null or { Length: <= MaxRevisionLength } && !(revision ?? "").Any(char.IsControl)
            ? revision ?? ""
            : throw Bad(number, line, $"has a revision of more than {MaxRevisionLength} characters");

    private static SourceUnreachableException Bad(int number, ReadOnlySpan<byte> line, string why)
    {
        var text = Encoding.UTF8.GetString(line[..Math.Min(line.Length, MaxShown)]);
        var shown = new string([.. text.Select(character => char.IsControl(character) ? '?' : character)]);
        return new SourceUnreachableException($"printed a line {number} that {why}: {shown}");
    }
}
