using System.Xml.Linq;
using Quarters.Core.Sources;
using Quarters.Linux.Processes;
using Quarters.Sources.Directories;
using Quarters.Sources.Versioned;

namespace Quarters.Sources.Svn;

/// <summary>A Subversion repository as a tree with revisions. Nothing of it is kept here: what a poll costs is what
/// changed, and a few calls of svn.</summary>
internal sealed class SvnTree : IVersionedTree
{
    private const long MaxListBytes = 512L << 20;
    private const long MaxLogBytes = 64L << 20;
    private const long MaxWordsBytes = 1L << 20;
    private const int TargetsOfOneCommand = 100;

    // More at a time is rare, and costs less when packages are exported as they are.
    private const long MaxDumpBytes = 16L << 20;
    private const int DumpedRevisions = 64;

    // A tree may hold much beside the packages that are wanted: then they are fetched one by one.
    private const long MaxWholeBytes = 4L << 30;
    private const int MaxWholeShare = 8;

    // What a listing says of a directory that is not there: as a warning, and once more at the end.
    private static readonly string[] NotFound = ["W160013", "W170000", "W160005", "E200009"];

    private readonly SvnSourceSettings _settings;
    private readonly PackageLayout _layout;
    private readonly string _directory;
    private readonly SvnClient _client;
    private XElement? _info;
    private bool _whole;
    private Dictionary<string, Change> _changes = [];
    private List<XElement>? _log;
    private List<SvnDumpNode> _dump = [];

    internal SvnTree(SvnSourceSettings settings)
    {
        _settings = settings;
        _layout = settings.Layout;
        _directory = settings.InState(".svn");
        _client = new SvnClient(_directory, settings.CommandTimeout);
    }

    public string Location => _settings.Url;

    /// <summary>The URL in svn's own spelling.</summary>
    private string Url => SvnXml.Text(_info, "url");

    private string Exports => Path.Combine(_directory, "exports");

    public async Task<string?> FetchAsync(string? before, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_directory);
        _whole = false;
        if (Directory.Exists(Exports))
            Directory.Delete(Exports, recursive: true);
        if (await NewsAsync(before, cancellationToken) is { } youngest)
            return youngest;
        var answer = await XmlAsync(["info", "--xml"], [SvnClient.At(_settings.Url, "", "HEAD")], cancellationToken);
        _info = answer.Element("entry");
        return SvnXml.Revision(_info?.Element("commit"));
    }

    /// <summary>Asks at once for the log since the known revision and for all that it holds, which one poll in many
    /// needs, and then without waiting once more. Null when there is no log from there on: another repository may have
    /// come in its place, with as many revisions, so the known one must be in it.</summary>
    private async Task<string?> NewsAsync(string? before, CancellationToken cancellationToken)
    {
        (_log, _dump) = (null, []);
        if (_info is null || before is null || NumberOf(before) is not { } old)
            return null;
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var dumping = _client.DumpAsync(Url, $"{old + 1}:HEAD", MaxDumpBytes, enough.Token);
        try
        {
            var answer = await _client.RunAsync(
                ["log", "--xml", "--quiet", "--verbose", "--revision", $"{old}:HEAD"],
                [SvnClient.At(_settings.Url, "", "HEAD")], MaxLogBytes, cancellationToken);
            if (!answer.Succeeded)
                return null;
            var entries = SvnXml.Parse(answer.OutputBytes, Location).Elements("logentry").ToList();
            if (entries.Count == 0 || SvnXml.Revision(entries[0]) != before)
                return null;
            _log = entries[1..];
            if (_log.Count is 0 or > DumpedRevisions)
                return SvnXml.Revision(entries[^1]);
            var (youngest, dumped) = (SvnXml.Revision(entries[^1]), await dumping);
            // Where the server refuses it, or it is too much, packages are listed and exported.
            _dump = (dumped.Succeeded ? SvnDump.Read(dumped.OutputBytes, NumberOf(youngest) ?? 0) : null) ?? [];
            return youngest;
        }
        finally
        {
            await enough.CancelAsync();
            await Task.WhenAny(dumping);
        }
    }

    public async Task<HashSet<string>?> TouchedAsync(string before, string now, CancellationToken cancellationToken)
    {
        if (_log is not null)
            return Touched(_log);
        if (NumberOf(before) is not { } old || NumberOf(now) is not { } young || old >= young)
            return null;
        var answer = await _client.RunAsync(
            ["log", "--xml", "--quiet", "--verbose", "--revision", $"{old}:{young}"],
            [SvnClient.At(_settings.Url, "", $"{young}")], MaxLogBytes, cancellationToken);
        var entries = answer.Succeeded ? SvnXml.Parse(answer.OutputBytes, Location).Elements("logentry").ToList() : [];
        return entries.Count > 0 && SvnXml.Revision(entries[0]) == before ? Touched(entries[1..]) : null;
    }

    public Task<Dictionary<string, ListedPackage>> PatchAsync(
        string before, string now, IReadOnlyDictionary<string, SourceTree> known, CancellationToken cancellationToken)
    {
        // What another pick holds is not known, and without a dump nothing is.
        var patches = _dump.Count == 0 || _layout.Picks.Length > 1
            ? []
            : known.ToDictionary(
                one => one.Key, one => new SvnPatch(one.Value, _settings.TreeLimits), StringComparer.Ordinal);
        foreach (var node in _dump)
        {
            if (Inside(node.Path) is not { } path || _layout.PackageAt(path) is not { } package
                || !patches.TryGetValue(package, out var patch))
                continue;
            if (_layout.Place(path) is var (_, _, inner))
                patch.Take(inner, node);
            else if (node.Action != "change" && Concerns(package, path, node.Kind == "file"))
                patch.GiveUp();
        }

        return Task.FromResult(patches.Where(one => one.Value.Entries is not null)
            .Select(one => ListedPackage.Of(one.Key, _layout.DirectoryOf(one.Key, 0), one.Value.Entries!))
            .OfType<ListedPackage>().ToDictionary(package => package.Path, StringComparer.Ordinal));
    }

    public async Task<Dictionary<string, ListedPackage>> ListAsync(
        string revision, IReadOnlySet<string>? only, CancellationToken cancellationToken)
    {
        var number = $"{NumberOf(revision)}";
        if (only is null)
        {
            var answer = await XmlAsync(
                ["list", "--xml", "--recursive"], [SvnClient.At(_settings.Url, "", number)], cancellationToken);
            var entries = SvnXml.Entries(answer, DirectoryOf).ToList();
            _changes = entries.Where(entry => !entry.IsFile)
                .ToDictionary(entry => entry.Path, entry => entry.Change, StringComparer.Ordinal);
            _changes[""] = SvnXml.Change(_info?.Element("commit"));
            var packages = ListedPackage.Group(_layout, FilesOf(entries));
            var (all, wanted) = (entries.Sum(entry => entry.Size), packages.Values.Sum(package => package.Bytes));
            _whole = packages.Count >= _settings.WholeFrom && all <= MaxWholeBytes && all / MaxWholeShare <= wanted;
            _changes = packages.Values.ToDictionary(
                package => package.Path, package => _changes[package.Directory], StringComparer.Ordinal);
            return packages;
        }

        var files = new List<ListedFile>();
        var directories = only.SelectMany(package => _layout.Picks.IsEmpty
            ? [package]
            : _layout.Picks.Select((_, pick) => _layout.DirectoryOf(package, pick)));
        foreach (var some in directories.Chunk(TargetsOfOneCommand))
        {
            var result = await _client.RunAsync(
                ["list", "--xml", "--recursive"], some.Select(path => SvnClient.At(_settings.Url, path, number)),
                MaxListBytes, cancellationToken);
            if (!result.Succeeded && !OnlyMissing(result))
                throw _client.Unreachable(Location, result);
            files.AddRange(FilesOf(SvnXml.Entries(SvnXml.Parse(result.OutputBytes, Location), DirectoryOf)));
        }

        return ListedPackage.Group(_layout, files);
    }

    /// <summary>They came with the log, or with the listing of everything.</summary>
    public Task<Dictionary<string, Change>> LastChangesAsync(
        IReadOnlyCollection<string> packages, string? before, string now, CancellationToken cancellationToken) =>
        Task.FromResult(packages.ToDictionary(
            package => package, package => _changes[package], StringComparer.Ordinal));

    public async Task<List<List<TreeEntry>>> ReadAsync(
        string revision, IReadOnlyList<ListedPackage> packages, CancellationToken cancellationToken)
    {
        if (_whole)
        {
            var tree = Path.Combine(Exports, "whole");
            if (!Directory.Exists(tree))
            {
                Directory.CreateDirectory(Exports);
                await ExportAsync("", $"{NumberOf(revision)}", tree, cancellationToken);
            }

            return [.. packages.Select(package => PackageDirectory.ReadAll(Path.Combine(tree, package.Directory)))];
        }

        Directory.CreateDirectory(Exports);
        var read = new List<TreeEntry>[packages.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, packages.Count),
            new ParallelOptions { MaxDegreeOfParallelism = _settings.Exports, CancellationToken = cancellationToken },
            async (index, token) =>
            {
                var place = Path.Combine(Exports, $"{index}");
                await ExportAsync(packages[index].Directory, $"{NumberOf(revision)}", place, token);
                read[index] = PackageDirectory.ReadAll(place);
            });
        Directory.Delete(Exports, recursive: true);
        return [.. read];
    }

    private async Task ExportAsync(
        string path, string revision, string destination, CancellationToken cancellationToken)
    {
        var result = await _client.ExportAsync(
            SvnClient.At(_settings.Url, path, revision), destination, MaxWordsBytes, cancellationToken);
        if (!result.Succeeded)
            throw _client.Unreachable(Location, result);
    }

    /// <summary>The packages that a log touches, and who did so last; null when it moves more than packages.</summary>
    private HashSet<string>? Touched(IEnumerable<XElement> log)
    {
        _changes = new Dictionary<string, Change>(StringComparer.Ordinal);
        foreach (var entry in log)
        {
            var change = SvnXml.Change(entry);
            foreach (var touched in SvnXml.Paths(entry))
            {
                if (Inside(touched.Path) is not { } path)
                {
                    // Above us: a property of it is nothing to us, all else may have moved everything.
                    if (touched.Action != 'M' && IsAbove(touched.Path))
                        return null;
                }
                else if (_layout.PackageAt(path) is { } package)
                {
                    if (Concerns(package, path, touched.IsFile))
                        _changes[package] = change;
                }
                else if (touched.Action != 'M' && !touched.IsFile)
                {
                    return null;
                }
            }
        }

        return _changes.Keys.ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Whether a path can be among a package's files, or above them.</summary>
    private bool Concerns(string package, string path, bool isFile)
    {
        if (path.Length == package.Length)
            return !isFile;
        return _layout.Picks.IsEmpty || _layout.Place(path) is not null || _layout.Picks.Select(
            (_, pick) => _layout.DirectoryOf(package, pick)).Any(
            pick => pick == path || pick.StartsWith(path + "/", StringComparison.Ordinal));
    }

    private string BaseInRepository => Uri.UnescapeDataString(
        SvnXml.Text(_info, "relative-url").TrimStart('^').Trim('/'));

    /// <summary>A path of the repository as one below the source's URL; null for one that is not.</summary>
    private string? Inside(string path)
    {
        var top = BaseInRepository;
        return top.Length == 0 ? path
            : path == top ? ""
            : path.StartsWith(top + "/", StringComparison.Ordinal) ? path[(top.Length + 1)..]
            : null;
    }

    private bool IsAbove(string path) => BaseInRepository.StartsWith(path + "/", StringComparison.Ordinal);

    /// <summary>What a listing calls a directory, as a path below the source's URL.</summary>
    private string DirectoryOf(string url) => Uri.UnescapeDataString(url) is var path
        && Uri.UnescapeDataString(Url) is var top && path.StartsWith(top, StringComparison.Ordinal)
        ? path[top.Length..].Trim('/')
        : throw new SourceUnreachableException($"{Location} was answered with a listing of {url}.");

    private static IEnumerable<ListedFile> FilesOf(IEnumerable<SvnEntry> entries) => entries
        .Where(entry => entry.IsFile).Select(entry => new ListedFile(entry.Path, "", entry.Size, TreeEntryKind.File));

    private async Task<XElement> XmlAsync(
        string[] command, string[] targets, CancellationToken cancellationToken)
    {
        var result = await _client.RunAsync(command, targets, MaxListBytes, cancellationToken);
        return result.Succeeded
            ? SvnXml.Parse(result.OutputBytes, Location)
            : throw _client.Unreachable(Location, result);
    }

    private static bool OnlyMissing(ProcessResult result) => result is { ExitCode: 1, TimedOut: false }
        && result.StandardError.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .All(line => NotFound.Any(code => line.Contains(code, StringComparison.Ordinal)));

    private static int? NumberOf(string revision) =>
        int.TryParse(revision.Split(':')[0], out var number) ? number : null;
}
