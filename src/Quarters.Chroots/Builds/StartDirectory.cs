using System.Text;
using System.Text.RegularExpressions;
using Quarters.Alpm;

namespace Quarters.Chroots.Builds;

/// <summary>The copy of a package's sources that a build starts in, made alike every time: same modes, same
/// times.</summary>
internal static partial class StartDirectory
{
    private const int MaxEntries = 100_000;
    private const long MaxBytes = 4L << 30;

    private const UnixFileMode Readable =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private const UnixFileMode Executable =
        UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    // What version control and makepkg itself leave beside a PKGBUILD.
    private static readonly string[] LeftOut = [".git", ".svn", ".hg"];
    private static readonly string[] LeftOutAtTop = ["src", "pkg"];

    /// <summary>Copies the files beside a PKGBUILD. Symbolic links stay links: what they point to is looked up inside.
    /// </summary>
    /// <exception cref="InvalidDataException">It is no package's directory, or larger than one may be.</exception>
    internal static void Copy(string source, string target, DateTimeOffset date)
    {
        if (!File.Exists(Path.Combine(source, "PKGBUILD")))
            throw new InvalidDataException($"{source} holds no PKGBUILD.");
        var entries = 0;
        var bytes = 0L;
        CopyTree(new DirectoryInfo(source), target, top: true);
        return;

        void CopyTree(DirectoryInfo from, string to, bool top)
        {
            Directory.CreateDirectory(to);
            foreach (var entry in from.EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
            {
                if (LeftOut.Contains(entry.Name) || (top && IsLeftByBuilds(entry)))
                    continue;
                var path = Path.Combine(to, entry.Name);
                if (++entries > MaxEntries || (bytes += entry is FileInfo file ? file.Length : 0) > MaxBytes)
                    throw new InvalidDataException(
                        $"{source} holds more than {MaxEntries} files or {MaxBytes >> 30} GiB, too much for the "
                        + "files of a package.");
                if (entry.LinkTarget is { } link)
                    File.CreateSymbolicLink(path, link);
                else if (entry is DirectoryInfo directory)
                    CopyTree(directory, path, top: false);
                else
                    CopyFile((FileInfo)entry, path, date);
            }

            Directory.SetLastWriteTimeUtc(to, date.UtcDateTime);
        }
    }

    /// <summary>
    /// True when the PKGBUILD surely names nothing to fetch and no signature to verify: checksums of the files beside
    /// it
    /// are checked by the build itself. A source from elsewhere has a scheme (<c>://</c>, or <c>lp:</c>) somewhere in
    /// the
    /// text; the package's own <c>url=</c> is none as long as nothing refers to it. A PKGBUILD that hides its sources
    /// from
    /// this only keeps them from being fetched, and fails for want of them.
    /// </summary>
    internal static bool NeedsNothingFetched(string directory)
    {
        foreach (var line in File.ReadLines(Path.Combine(directory, "PKGBUILD"), Encoding.Latin1))
        {
            var text = line.AsSpan().Trim();
            if (!text.StartsWith("#") && !PlainUrl().IsMatch(text) && Fetching().IsMatch(text))
                return false;
        }

        return true;
    }

    [GeneratedRegex("""^url=(["']?)[^"'$`();&|]*\1$""")]
    private static partial Regex PlainUrl();

    [GeneratedRegex("""://|\blp:|\$\{?url\b|\bvalidpgpkeys\b|\b(sig|sign|asc)\b""")]
    private static partial Regex Fetching();

    private static bool IsLeftByBuilds(FileSystemInfo entry) => entry is DirectoryInfo
        ? LeftOutAtTop.Contains(entry.Name)
        : PackageFileName.IsBuildProduct(entry.Name);

    private static void CopyFile(FileInfo file, string path, DateTimeOffset date)
    {
        file.CopyTo(path);
        File.SetUnixFileMode(
            path, file.UnixFileMode.HasFlag(UnixFileMode.UserExecute) ? Readable | Executable : Readable);
        File.SetLastWriteTimeUtc(path, date.UtcDateTime);
    }
}
