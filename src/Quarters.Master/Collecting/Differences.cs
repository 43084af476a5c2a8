using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master.Collecting;

/// <summary>Says what of a result is not as another builder built it.</summary>
internal static class Differences
{
    /// <summary>So many files are named, and so much of the name of each.</summary>
    private const int MaxFiles = 5, MaxName = 200;

    /// <summary>What differs, in a sentence; null when all that wait for confirmation are the same.</summary>
    /// <param name="folders">Where the packages of the others are kept.</param>
    /// <param name="job">The job.</param>
    /// <param name="result">The result.</param>
    /// <param name="folder">Where its packages are.</param>
    public static string? Tell(MasterFolders folders, Job job, BuildResult result, string folder)
    {
        var other = Agreement.WitnessesOf(job).LastOrDefault(one => !Agreement.AreSame(one.Result!, result));
        if (other is null) return null;
        var where = folders.Received(job.Id, other.Number, other.Builder);
        var files = new List<string>();
        foreach (var (name, _, sha256) in result.Files)
        {
            if (other.Result!.Files.Any(same => same.Name == name && same.Sha256 == sha256)) continue;
            var (mine, theirs) = (Read(Path.Combine(folder, name)), Read(Path.Combine(where, name)));
            if (mine is null || theirs is null) files.Add(name);
            else
            {
                files.AddRange(mine.Keys.Union(theirs.Keys, StringComparer.Ordinal)
                    .Where(path => mine.GetValueOrDefault(path) != theirs.GetValueOrDefault(path))
                    .Order(StringComparer.Ordinal).Select(path => $"{path} in {name}"));
            }
        }

        var more = files.Count > MaxFiles ? $" and {files.Count - MaxFiles} more files" : "";
        var named = files.Count == 0
            ? "the order or the compression"
            : string.Join(", ", files.Take(MaxFiles).Select(Shown));
        return $"not what {other.Builder} built: {named}{more} differ{(files.Count <= 1 ? "s" : "")}";
    }

    private static string Shown(string name) => name.Length <= MaxName ? name : name[..MaxName] + "…";

    /// <summary>What a package holds; null when it is not there any more, or not readable.</summary>
    private static SortedDictionary<string, string>? Read(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return PackageFile.Fingerprints(file, new PackageReadLimits());
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException or AlpmFormatException)
        {
            // The difference is known from the digests already; then it is told by the name of the package alone.
            return null;
        }
    }
}
