using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Quarters.Alpm;
using Quarters.Core.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Web;

/// <summary>Source packages, as <c>makepkg --source</c> makes them, that a web server lists. A poll asks for the list,
/// if there is a newer one, and downloads what it says has changed.</summary>
public sealed class WebSource : ISource
{
    private const string Kind = "web";
    private const int MaxListBytes = 32 << 20;
    private const int CandidatesAtOnce = 16;

    private readonly WebSourceSettings _settings;
    private readonly PackageIntake _intake;
    private readonly WebReader _web;
    private readonly MemoryFile _memoryFile;
    private readonly SourceIdentity _identity;

    /// <summary>Makes a source; nothing is asked before the first poll.</summary>
    /// <exception cref="SourceSettingsException">The name cannot be used.</exception>
    public WebSource(WebSourceSettings settings, PackageIntake intake, TimeProvider time)
    {
        _settings = settings;
        _intake = intake;
        _web = new WebReader(time);
        _memoryFile = settings.OpenMemory();
        _identity = new SourceIdentity(settings.Name, Kind, settings.Url.ToString(), settings.Repository);
    }

    /// <inheritdoc/>
    public string Name => _settings.Name;

    /// <inheritdoc/>
    public async Task<SourceReport> PollAsync(string? cursor, CancellationToken cancellationToken)
    {
        var packagers = Packagers.Load(_settings.Packagers);
        var memory = _memoryFile.Load(cursor);
        if (memory is not null && memory.Cursor.Split(' ')[0] != Fingerprint(packagers))
            memory = null;
        // What could not be had is tried again, though the list is still the same.
        var isWhole = memory?.Packages.Values.All(package => package.Mark.Length > 0) == true;
        var listMark = isWhole && memory!.Cursor.Split(' ', 3)[2] is { Length: > 1 } known ? known : null;
        var list = await _web.ReadAsync(_settings.Url, listMark, MaxListBytes, cancellationToken);
        if (list.Body is null)
            return new SourceReport { Source = Name, Cursor = memory!.Cursor, Total = memory.Packages.Count };
        var entries = WebIndex.Parse(list.Body, _settings.Url);
        var present = entries.Values
            .Where(entry => memory?.Packages.GetValueOrDefault(entry.Path)?.Mark != entry.Mark)
            .Select(entry => entry.Path).ToList();
        var removed = memory?.Packages.Keys.Where(path => !entries.ContainsKey(path)).ToList() ?? [];
        var poll = new Poll(_intake, _identity, memory, (paths, token) => LoadAsync(paths, entries, packagers, token));
        var (report, after) = await poll.RunAsync("", present, removed, path => entries[path].Mark, cancellationToken);
        var all = string.Concat(after.Packages.Select(one => $"{one.Key}\0{one.Value.Mark}\0"));
        var next = $"{Fingerprint(packagers)} {Hash(all)} {list.Mark}";
        Directory.CreateDirectory(_settings.StateDirectory);
        _memoryFile.Save(after with { Cursor = next });
        return report with { Cursor = next };
    }

    private async IAsyncEnumerable<IReadOnlyList<Candidate>> LoadAsync(
        IReadOnlyList<string> paths,
        SortedDictionary<string, WebEntry> entries,
        Packagers packagers,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var some in paths.Chunk(CandidatesAtOnce))
        {
            var candidates = new List<Candidate>(some.Length);
            foreach (var path in some)
            {
                var entry = entries[path];
                try
                {
                    var answer = await _web.ReadAsync(
                        entry.Url, null, _settings.TreeLimits.MaxBytes, cancellationToken);
                    var (tree, problem) = Unpack(entry, answer.Body!);
                    candidates.Add(Candidate(entry, tree, problem, packagers));
                }
                catch (SourceUnreachableException failure)
                {
                    candidates.Add(Candidate(entry, null, failure.Message, packagers) with { IsAway = true });
                }
            }

            yield return candidates;
        }
    }

    private (SourceTree? Tree, string? Problem) Unpack(WebEntry entry, byte[] archive)
    {
        var got = Convert.ToHexStringLower(SHA256.HashData(archive));
        if (entry.Sha256 is { } wanted && got != wanted)
            return (null, $"{entry.Url} has the SHA-256 {got}, and the list says {wanted}.");
        try
        {
            using var stream = new MemoryStream(archive, writable: false);
            var limits = _settings.TreeLimits;
            var files = SourcePackageFile.Read(stream, (int)limits.MaxBytes, limits.MaxFiles * 2);
            return (SourceTree.Create(files.Select(ToEntry), limits), null);
        }
        catch (Exception refused) when (refused is AlpmFormatException or SourceTreeException)
        {
            return (null, $"{entry.Url} cannot be taken: {refused.Message.TrimEnd('.')}.");
        }
    }

    /// <summary>makepkg puts all into one directory of the package's name. What is not in it keeps its path, and then
    /// is refused if that leads out.</summary>
    private static TreeEntry ToEntry(SourcePackageEntry file)
    {
        var path = file.Path.StartsWith("./", StringComparison.Ordinal) ? file.Path[2..] : file.Path;
        var slash = path.IndexOf('/');
        if (slash <= 0 || path[..slash] is "." or "..")
            throw new SourceTreeException($"'{path[..Math.Min(path.Length, 80)]}' is not in its one directory");
        var kind = file.LinkTarget is not null ? TreeEntryKind.Symlink
            : file.IsExecutable ? TreeEntryKind.Executable
            : TreeEntryKind.File;
        return new TreeEntry(
            path[(slash + 1)..], kind, file.LinkTarget is { } target ? Encoding.UTF8.GetBytes(target) : file.Content);
    }

    private static Candidate Candidate(WebEntry entry, SourceTree? tree, string? problem, Packagers packagers) => new()
    {
        Path = entry.Path,
        Tree = tree,
        Problem = problem,
        Revision = entry.Sha256 ?? "",
        Time = entry.Time ?? DateTimeOffset.UnixEpoch,
        Packager = packagers.Name(entry.Author is { } author ? Author.Parse(author) : null, tree),
    };

    /// <summary>Changes when the settings mean other packages, and then everything is reported anew.</summary>
    private string Fingerprint(Packagers packagers) =>
        Hash($"{_settings.Url}\n{_settings.Repository}\n{packagers.Text}")[..16];

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
