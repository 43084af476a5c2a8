using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Quarters.Core.Sources;
using Quarters.Sources.Intake;
using Quarters.Sources.Pkgbuilds;

namespace Quarters.Sources.Upstreams;

/// <summary>How upstreams are followed.</summary>
public sealed record FollowSettings
{
    /// <summary>How often they are asked whether they moved.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>Where mirrors and memory are kept.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>How many are asked, or fetched, at once.</summary>
    public int Connections { get; init; } = 4;

    /// <summary>How long fetching one may last.</summary>
    public TimeSpan FetchTimeout { get; init; } = TimeSpan.FromMinutes(20);
}

/// <summary>
/// A source whose packages with a <c>pkgver()</c> and repositories among their sources are reported at the version that
/// their upstreams have. They are asked at an interval of their own, and when the package itself changed; where
/// one moved, it is fetched, <c>pkgver()</c> is run in the sandbox, and the version and the commits are written into
/// the PKGBUILD: so what is built, whenever that is, is what was found.
/// </summary>
public sealed class FollowingSource : ISource
{
    private const string Mark = " upstream:";

    private readonly ISource _source;
    private readonly FollowSettings _settings;
    private readonly PackageIntake _intake;
    private readonly PkgverReader _reader;
    private readonly TimeProvider _time;
    private readonly string _mirrors;

    /// <summary>Follows the upstreams of a source's packages.</summary>
    public FollowingSource(
        ISource source, FollowSettings settings, PackageIntake intake, PkgverReader reader, TimeProvider time)
    {
        _source = source;
        _settings = settings;
        _intake = intake;
        _reader = reader;
        _time = time;
        _mirrors = Path.Combine(settings.StateDirectory, source.Name + ".upstreams");
    }

    /// <inheritdoc/>
    public string Name => _source.Name;

    private string MemoryPath => Path.Combine(_settings.StateDirectory, Name + ".upstreams.json");

    /// <inheritdoc/>
    public Task ChangedAsync(CancellationToken cancellationToken) => _source.ChangedAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task<SourceReport> PollAsync(string? cursor, CancellationToken cancellationToken)
    {
        var memory = FollowMemory.Load(MemoryPath, cursor);
        var inner = memory is null ? null : cursor![..cursor!.LastIndexOf(Mark, StringComparison.Ordinal)];
        var report = await _source.PollAsync(inner, cancellationToken);
        var now = _time.GetUtcNow();
        var isDue = memory is null || now - memory.Asked >= _settings.Interval;
        if (!isDue && report.Cursor == inner)
            return report with { Cursor = cursor! };
        var known = memory is null || report.Complete
            ? ImmutableSortedDictionary.Create<string, FollowedPackage>(StringComparer.Ordinal)
            : memory.Packages;
        var gone = report.RemovedPaths.Concat(report.Unreadable.Select(one => one.Path))
            .Concat(report.Changed.Select(package => package.Origin.Path)).ToHashSet(StringComparer.Ordinal);
        var asked = report.Changed.Select(package => (Package: package, Known: (FollowedPackage?)null)).ToList();
        if (isDue)
            asked.AddRange(known.Where(one => !gone.Contains(one.Key))
                .Select(one => (one.Value.Package, (FollowedPackage?)one.Value)));
        var answers = await AskAsync(asked, cancellationToken);
        var after = known.RemoveRange(gone).SetItems(answers.Where(one => one.Followed is not null)
            .Select(one => KeyValuePair.Create(one.Path, one.Followed!)));
        var next = $"{report.Cursor}{Mark}{Digest(after)}";
        Directory.CreateDirectory(_settings.StateDirectory);
        new FollowMemory { Cursor = next, Asked = isDue ? now : memory!.Asked, Packages = after }.Save(MemoryPath);
        DropMirrors(after.Values.SelectMany(one => one.Commits.Keys));
        return report with
        {
            Cursor = next,
            Changed = [.. answers.Select(one => one.Package).OfType<SourcePackage>()],
            Unreadable = [.. report.Unreadable, .. answers.Select(one => one.Problem).OfType<UnreadablePackage>()],
            Parsed = report.Parsed + answers.Count(one => one.IsNew),
        };
    }

    /// <summary>What came of asking about one package.</summary>
    /// <param name="Path">Where it is in the source.</param>
    /// <param name="Package">The package to report; null when there is nothing new.</param>
    /// <param name="Followed">What to remember; null for one that has no upstream to follow.</param>
    /// <param name="Problem">Why its version cannot be had.</param>
    /// <param name="IsNew">True when a version was found.</param>
    private sealed record Answer(
        string Path, SourcePackage? Package, FollowedPackage? Followed, UnreadablePackage? Problem, bool IsNew);

    private async Task<List<Answer>> AskAsync(
        List<(SourcePackage Package, FollowedPackage? Known)> all, CancellationToken cancellationToken)
    {
        var answers = new Answer[all.Count];
        var heads = new ConcurrentDictionary<string, Lazy<Task<string>>>(StringComparer.Ordinal);
        var fetched = new ConcurrentDictionary<string, Lazy<Task>>(StringComparer.Ordinal);
        await Parallel.ForEachAsync(
            all.Index(),
            new ParallelOptions
            {
                MaxDegreeOfParallelism = _settings.Connections,
                CancellationToken = cancellationToken,
            },
            async (one, token) => answers[one.Index] =
                await AskAsync(one.Item.Package, one.Item.Known, heads, fetched, token));
        return [.. answers];
    }

    private async Task<Answer> AskAsync(
        SourcePackage package, FollowedPackage? known, ConcurrentDictionary<string, Lazy<Task<string>>> heads,
        ConcurrentDictionary<string, Lazy<Task>> fetched, CancellationToken cancellationToken)
    {
        var path = package.Origin.Path;
        var content = await _intake.ReadAgainAsync(package, cancellationToken);
        var upstreams = content is null || !FoundVersion.IsAskedFor(content.Tree)
            ? []
            : UpstreamSource.Of(content.Info);
        if (upstreams.Count == 0)
            return new Answer(path, known is null ? package : null, null, null, IsNew: false);
        try
        {
            if (upstreams.Select(upstream => upstream.FindFault()).OfType<string>().FirstOrDefault() is { } fault)
                return Failed(package, known, fault + ".");
            var commits = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (var upstream in upstreams.Where(upstream => upstream.Fixed is null))
            {
                commits[upstream.Key] = await heads.GetOrAdd(upstream.Key, _ => new Lazy<Task<string>>(
                    () => Open(upstream).NewestAsync(upstream.Branch, cancellationToken))).Value;
            }

            if (known is not null && known.Commits.SequenceEqual(commits))
                return new Answer(path, null, known, null, IsNew: false);
            foreach (var upstream in upstreams.DistinctBy(upstream => upstream.Repository))
                await fetched.GetOrAdd(upstream.Repository, _ => new Lazy<Task>(
                    () => Open(upstream).FetchAsync(cancellationToken))).Value;
            var (found, problem) = await FindAsync(package, content!, upstreams, commits, cancellationToken);
            return found is null
                ? Failed(package, known, problem!)
                : new Answer(path, found, FollowedPackage.Of(package, commits), null, IsNew: true);
        }
        catch (SourceUnreachableException unreachable)
        {
            return Failed(package, known, unreachable.Message);
        }
    }

    /// <summary>One whose version was known stays as it is, and is asked again the next time; of a new one somebody
    /// must be told.</summary>
    private static Answer Failed(SourcePackage package, FollowedPackage? known, string reason) => new(
        package.Origin.Path, null, known ?? FollowedPackage.Of(package, new Dictionary<string, string>()),
        known is { Commits.IsEmpty: false }
            ? null
            : new UnreadablePackage
            {
                Path = package.Origin.Path,
                Name = package.Pkgbase,
                Reason = $"Its version is known only upstream, and cannot be had: {reason}",
                Revision = package.Origin.Revision,
                Time = package.Origin.Time,
            },
        IsNew: false);

    private async Task<(SourcePackage? Package, string? Problem)> FindAsync(
        SourcePackage package, ReviewedPackage content, List<UpstreamSource> upstreams,
        SortedDictionary<string, string> commits, CancellationToken cancellationToken)
    {
        var answer = await _reader.AskAsync(
            package.Pkgbase, content.Tree,
            async (directory, token) =>
            {
                foreach (var upstream in upstreams)
                    await Open(upstream).CheckOutAsync(
                        upstream.Fixed ?? commits[upstream.Key], Path.Combine(directory, upstream.Name), token);
            },
            cancellationToken);
        if (answer.Version is not { } version)
            return (null, answer.Problem);
        // Only such a word may stand in a PKGBUILD without quotes; makepkg refuses others, too.
        if (version.Length is 0 or > 200 || !version.All(
            character => char.IsAsciiLetterOrDigit(character) || "._+~^".Contains(character)))
            return (null, "pkgver() says what is no version.");
        var tree = FoundVersion.Write(
            content.Tree, version, content.Info.Base.Value("pkgver")!,
            upstreams.Where(upstream => upstream.Fixed is null).Select(one => (one, commits[one.Key])));
        if (tree is null)
            return (null, "its PKGBUILD has no line pkgver=…, in which makepkg could write it either.");
        var taken = await _intake.TakeChangedAsync(package, tree, cancellationToken);
        return taken.Package is { } found && found.Pkgbase == package.Pkgbase
            && Alpm.PackageVersion.Parse(found.Version).Pkgver == version
            ? (found, null)
            : (null, taken.Problem ?? $"with the version {version} its PKGBUILD says another one.");
    }

    private IUpstreamRepository Open(UpstreamSource upstream)
    {
        var directory = Path.Combine(_mirrors, PlaceOf(upstream.Repository));
        Directory.CreateDirectory(directory);
        return upstream.Kind switch
        {
            "bzr" => new BzrUpstream(upstream.Url, directory, _settings.FetchTimeout),
            "fossil" => new FossilUpstream(upstream.Url, directory, _settings.FetchTimeout),
            "hg" => new HgUpstream(upstream.Url, directory, _settings.FetchTimeout),
            "svn" => new SvnUpstream(upstream.Url, directory, _settings.FetchTimeout),
            _ => new GitUpstream(upstream.Url, directory, _settings.FetchTimeout),
        };
    }

    private void DropMirrors(IEnumerable<string> keys)
    {
        var wanted = keys.Select(key => PlaceOf(key[..key.LastIndexOf('#')])).ToHashSet(StringComparer.Ordinal);
        if (!Directory.Exists(_mirrors))
            return;
        foreach (var left in Directory.EnumerateDirectories(_mirrors))
        {
            if (!wanted.Contains(Path.GetFileName(left)))
                Directory.Delete(left, recursive: true);
        }
    }

    private static string PlaceOf(string repository) => Hash(repository)[..32];

    private static string Digest(ImmutableSortedDictionary<string, FollowedPackage> all) => Hash(string.Concat(
        all.Select(one => $"{one.Key}\0{string.Concat(one.Value.Commits.Select(at => $"{at.Key} {at.Value}\n"))}\0")))
        [..16];

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
