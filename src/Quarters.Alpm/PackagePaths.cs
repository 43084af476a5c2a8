namespace Quarters.Alpm;

/// <summary>Rules about the paths in a package.</summary>
internal static class PackagePaths
{
    /// <summary>Members at the top that begin with a dot are the package's own, and are not installed.</summary>
    public static bool IsMetadata(string path) => path.StartsWith('.');

    /// <summary>Can it be the name of a file beside a database, and nothing else?</summary>
    public static bool IsFileName(string text) =>
        text.Length is > 0 and <= 255 && text[0] is not ('.' or '-') && !text.AsSpan().ContainsAny("/\0\r\n");

    public static IReadOnlyList<string> Files(IReadOnlyList<PackageEntry> entries)
    {
        var files = new HashSet<string>(entries.Count, StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            if (!IsMetadata(entry.Path))
                files.Add(entry.Type == PackageEntryType.Directory ? entry.Path + "/" : entry.Path);
        }
        var sorted = files.ToArray();
        Array.Sort(sorted, Utf8Order.Compare);
        return sorted;
    }

    public static string? FindEscape(IReadOnlyList<PackageEntry> entries)
    {
        var links = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            if (entry.Type == PackageEntryType.SymbolicLink) links.Add(entry.Path);
        }
        foreach (var entry in entries)
        {
            var shown = AlpmFormatException.Quote(entry.Path);
            if (Problem(entry.Path) is { } problem) return $"the path {shown} {problem}";
            if (entry.Type == PackageEntryType.HardLink && Problem(entry.LinkTarget!) is { } linkProblem)
                return $"the target of the hard link {shown} {linkProblem}";
            if (links.Count > 0 && FindLinkAbove(entry.Path, links) is { } link)
            {
                return $"the path {shown} leads through the package's own symbolic link "
                    + AlpmFormatException.Quote(link);
            }
        }
        return null;
    }

    private static string? Problem(string path)
    {
        if (path.StartsWith('/')) return "is absolute";
        foreach (var part in path.AsSpan().Split('/'))
        {
            switch (path.AsSpan(part))
            {
                case "..": return "climbs with '..'";
                case "." or "": return "has an empty or '.' part";
            }
        }
        return null;
    }

    private static string? FindLinkAbove(string path, HashSet<string> links)
    {
        for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
        {
            if (links.Contains(path[..slash])) return path[..slash];
        }
        return null;
    }
}
