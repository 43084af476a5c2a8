using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Quarters.Core.Sources;
using Quarters.Sources.Git;
using Quarters.Sources.Intake;
using Quarters.Sources.Versioned;
using Quarters.Sources.Web;

namespace Quarters.Sources.Aur;

/// <summary>
/// Packages of the AUR. A poll asks its RPC, or for many names its archive of metadata, for versions and times, and
/// fetches the git repositories of the package bases in which these changed.
/// </summary>
public sealed class AurSource : ISource
{
    private const string Kind = "aur";
    private const int CandidatesAtOnce = 32;
    private const int MaxListBytes = 4 << 20;
    private const string Missing = "missing";

    private readonly AurSourceSettings _settings;
    private readonly PackageIntake _intake;
    private readonly MemoryFile _memoryFile;
    private readonly SourceIdentity _identity;
    private readonly AurRpc _rpc;
    private readonly AurArchive _archive;

    /// <summary>Makes a source; nothing is asked before the first poll.</summary>
    /// <exception cref="SourceSettingsException">The name cannot be used.</exception>
    public AurSource(AurSourceSettings settings, PackageIntake intake, TimeProvider time)
    {
        _settings = settings;
        _intake = intake;
        _memoryFile = settings.OpenMemory();
        _identity = new SourceIdentity(settings.Name, Kind, settings.Url.ToString(), settings.Repository);
        var web = new WebReader(time);
        _rpc = new AurRpc(settings.Url, web);
        _archive = new AurArchive(settings.Url, settings.InState(".metadata.gz"), web);
    }

    /// <inheritdoc/>
    public string Name => _settings.Name;

    /// <inheritdoc/>
    public async Task<SourceReport> PollAsync(string? cursor, CancellationToken cancellationToken)
    {
        var packagers = Packagers.Load(_settings.Packagers);
        var names = Names();
        Directory.CreateDirectory(_settings.StateDirectory);
        var memory = _memoryFile.Load(cursor);
        if (memory is not null && memory.Cursor.Split(' ')[0] != Fingerprint(packagers))
            memory = null;
        var marks = await MarksAsync(names, memory, cancellationToken);
        var present = marks.Where(one => memory?.Packages.GetValueOrDefault(one.Key)?.Mark != one.Value)
            .Select(one => one.Key).ToList();
        var removed = memory?.Packages.Keys.Where(path => !marks.ContainsKey(path)).ToList() ?? [];
        var poll = new Poll(_intake, _identity, memory, (paths, token) => LoadAsync(paths, marks, packagers, token));
        var (report, after) = await poll.RunAsync("", present, removed, path => marks[path], cancellationToken);
        var all = string.Concat(after.Packages.Select(one => $"{one.Key}\0{one.Value.Mark}\0"));
        var next = $"{Fingerprint(packagers)} {Hash(all)}";
        if (next != memory?.Cursor)
            _memoryFile.Save(after with { Cursor = next });
        return report with { Cursor = next };
    }

    private HashSet<string> Names()
    {
        var names = _settings.Packages.ToHashSet(StringComparer.Ordinal);
        if (_settings.ListFile is { } path)
            names.UnionWith(OperatorFile.Read("The list", path, MaxListBytes).Split('\n')
                .Select(line => line.Split('#')[0].Trim()).Where(name => name.Length > 0));
        return names;
    }

    /// <summary>The package bases wanted, each with the mark that its change is noticed by.</summary>
    private async Task<SortedDictionary<string, string>> MarksAsync(
        HashSet<string> names, SourceMemory? memory, CancellationToken cancellationToken)
    {
        IAurCatalog catalog = names.Count < _settings.ArchiveFrom ? _rpc : await _archive.OpenAsync(cancellationToken);
        var held = memory?.Packages.Keys.ToHashSet(StringComparer.Ordinal) ?? [];
        var elsewhere = _settings.Follow ? _settings.Elsewhere() : null;
        // Before it is known what others offer, everything would be followed, down to the C library: a first poll takes
        // only what was asked for, a later one must not take away what the ones before it followed.
        if (_settings.Follow && elsewhere is null && held.Count > 0)
            throw new SourceUnreachableException(
                "What the repositories of others offer is not known yet, and so not which dependencies to follow.");
        var wanted = new AurWanted(catalog, held, elsewhere);
        await wanted.CollectAsync(names, cancellationToken);
        foreach (var name in wanted.Missing)
            wanted.Bases.TryAdd(name, Missing);
        return wanted.Bases;
    }

    private async IAsyncEnumerable<IReadOnlyList<Candidate>> LoadAsync(
        IReadOnlyList<string> paths,
        SortedDictionary<string, string> marks,
        Packagers packagers,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var some in paths.Chunk(CandidatesAtOnce))
        {
            var candidates = new Candidate[some.Length];
            await Parallel.ForEachAsync(
                some.Index(),
                new ParallelOptions
                {
                    MaxDegreeOfParallelism = _settings.Connections,
                    CancellationToken = cancellationToken,
                },
                async (one, token) => candidates[one.Index] = marks[one.Item] == Missing
                    ? PackageRepository.Unfit(one.Item, "The AUR has no package of this name.")
                    : await PackageRepository.FetchAsync(Repository(one.Item), packagers, token));
            yield return candidates;
        }
    }

    private GitSourceSettings Repository(string path) => new()
    {
        Name = path,
        // Names of the AUR are those of packages; anything else would be another repository, or another directory.
        Url = new Uri(_settings.Url, Uri.EscapeDataString(path) + ".git").ToString(),
        Layout = new PackageLayout { Depth = 0 },
        Repository = _settings.Repository,
        StateDirectory = Path.Combine(_settings.InState(".fetched"), Hash(path)),
        TreeLimits = _settings.TreeLimits,
        FetchTimeout = _settings.FetchTimeout,
    };

    /// <summary>Changes when the settings mean other packages, and then everything is reported anew.</summary>
    private string Fingerprint(Packagers packagers) =>
        Hash($"{_settings.Url}\n{_settings.Repository}\n{packagers.Text}")[..16];

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
