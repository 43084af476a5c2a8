using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Quarters.Core.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Git;

/// <summary>
/// Packages in git repositories of their own. A poll reads the list, asks the repositories for their newest commit
/// where the list does not tell it, several at once, and fetches those in which it changed, without history. Nothing
/// of them is kept.
/// </summary>
public sealed class GitRepositoriesSource : ISource
{
    private const string Kind = "git";
    private const int CandidatesAtOnce = 64;
    private const int MaxListBytes = 64 << 20;

    private readonly GitRepositoriesSettings _settings;
    private readonly PackageIntake _intake;
    private readonly MemoryFile _memoryFile;
    private readonly SourceIdentity _identity;
    private readonly GitCommands _git;
    private readonly GitMirror _mirror;

    /// <summary>Makes a source; nothing is asked before the first poll.</summary>
    /// <exception cref="SourceSettingsException">A setting cannot be used; the message says which and why.</exception>
    public GitRepositoriesSource(GitRepositoriesSettings settings, PackageIntake intake)
    {
        GitRepositoriesSettings.Check(settings);
        _settings = settings;
        _intake = intake;
        _memoryFile = settings.OpenMemory();
        _identity = new SourceIdentity(settings.Name, Kind, settings.Url, settings.Repository);
        _git = new GitCommands(settings.InState(".git"), settings.FetchTimeout, settings.FetchTimeout);
        _mirror = new GitMirror(_git);
    }

    /// <inheritdoc/>
    public string Name => _settings.Name;

    /// <inheritdoc/>
    public async Task<SourceReport> PollAsync(string? cursor, CancellationToken cancellationToken)
    {
        var packagers = Packagers.Load(_settings.Packagers);
        var memory = _memoryFile.Load(cursor);
        var list = await ListAsync(cancellationToken);
        var fingerprint = Fingerprint(packagers);
        if (memory is not null && memory.Cursor.Split(' ')[^1] != fingerprint)
            memory = null;
        var heads = await HeadsAsync(list.Values, memory, cancellationToken);
        var next = Cursor(heads.Select(head => (head.Key, head.Value.Mark)), fingerprint);
        if (memory?.Cursor == next)
            return new SourceReport { Source = Name, Cursor = next, Total = memory.Packages.Count };
        var present = heads.Where(head => memory?.Packages.GetValueOrDefault(head.Key)?.Mark != head.Value.Mark)
            .Select(head => head.Key).ToList();
        var removed = memory?.Packages.Keys.Where(name => !list.ContainsKey(name)).ToList() ?? [];
        var poll = new Poll(
            _intake, _identity, memory, (names, token) => LoadAsync(names, list, heads, packagers, token));
        var (report, after) = await poll.RunAsync("", present, removed, name => heads[name].Mark, cancellationToken);
        // Of what could not be fetched the mark is none yet: the cursor must not be the one of having it.
        next = Cursor(after.Packages.Select(one => (one.Key, one.Value.Mark)), fingerprint);
        _memoryFile.Save(after with { Cursor = next });
        return report with { Cursor = next };
    }

    /// <summary>What a repository is at.</summary>
    /// <param name="Mark">The commit or tag; else what stands for its trouble, so that an end of it is a
    /// change.</param>
    /// <param name="Problem">Why it cannot be had; null when it can.</param>
    private sealed record RepositoryHead(string Mark, string? Problem);

    private async Task<SortedDictionary<string, ListedRepository>> ListAsync(CancellationToken cancellationToken)
    {
        if (_settings.ListUrl is not { } url)
            return RepositoryList.Parse(OperatorFile.Read("The list", _settings.List, MaxListBytes), _settings.List);

        var place = $"{_settings.List} in {url}";
        var commit = await _mirror.FetchAsync(url, GitReference.Head, shallow: true, cancellationToken)
            ?? throw new SourceUnreachableException($"{url}, which holds the list, is empty.");
        var files = (await _mirror.ListAsync(commit, [], cancellationToken)).FindAll(file => file.Kind is not null
            && (file.Path == _settings.List || file.Path.StartsWith(_settings.List + "/", StringComparison.Ordinal)));
        if (files.Count == 0)
            throw new SourceUnreachableException($"There is no {place}.");
        if (files.Sum(file => file.Size) > MaxListBytes)
            throw new SourceUnreachableException($"{place} has more than {MaxListBytes} bytes, which are not read.");
        var contents = await _mirror.ReadAsync(files, cancellationToken);
        return RepositoryList.Parse(
            string.Join('\n', contents.Select(content => Encoding.UTF8.GetString(content.Span))), place);
    }

    private async Task<SortedDictionary<string, RepositoryHead>> HeadsAsync(
        IReadOnlyCollection<ListedRepository> list, SourceMemory? memory, CancellationToken cancellationToken)
    {
        await _git.PrepareAsync(cancellationToken);
        var heads = new ConcurrentDictionary<string, RepositoryHead>(StringComparer.Ordinal);
        string? trouble = null;
        async Task AskAsync(ListedRepository repository, CancellationToken token)
        {
            try
            {
                var mark = repository.Commit
                    ?? await new GitRemote(_git, UrlOf(repository.Name)).NewestAsync(_settings.Reference, token);
                heads[repository.Name] = new RepositoryHead(mark, null);
            }
            catch (SourceUnreachableException unreachable)
            {
                trouble = unreachable.Message;
                // One that does not answer for a while stays as it was.
                heads[repository.Name] = memory?.Packages.GetValueOrDefault(repository.Name) is { } known
                    ? new RepositoryHead(known.Mark, unreachable.Message)
                    : new RepositoryHead("unreachable", unreachable.Message);
            }
        }

        await Side(list, AskAsync, cancellationToken);
        if (trouble is not null && heads.Values.All(head => head.Problem is not null))
            throw new SourceUnreachableException(trouble);
        return new SortedDictionary<string, RepositoryHead>(heads, StringComparer.Ordinal);
    }

    private async IAsyncEnumerable<IReadOnlyList<Candidate>> LoadAsync(
        IReadOnlyList<string> names,
        SortedDictionary<string, ListedRepository> list,
        SortedDictionary<string, RepositoryHead> heads,
        Packagers packagers,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var chunk in names.Chunk(CandidatesAtOnce))
        {
            var candidates = new Candidate[chunk.Length];
            await Side(
                chunk.Index(),
                async (one, token) =>
                    candidates[one.Index] = await FetchAsync(list[one.Item], heads[one.Item], packagers, token),
                cancellationToken);
            yield return candidates;
        }
    }

    private async Task<Candidate> FetchAsync(
        ListedRepository repository, RepositoryHead head, Packagers packagers, CancellationToken cancellationToken)
    {
        if (head.Problem is { } problem)
            return PackageRepository.Unfit(repository.Name, problem);
        var reference = repository.Tag is { } tag ? new GitReference(null, tag) : _settings.Reference;
        var url = UrlOf(repository.Name);
        var candidate = await PackageRepository.FetchAsync(
            _settings.Of(
                repository.Name, url, reference, Path.Combine(_settings.InState(".fetched"), repository.Name)),
            packagers, cancellationToken);
        return repository.Commit is { } listed && candidate.Tree is not null && listed != candidate.Revision
            ? candidate with
            {
                Tree = null,
                Problem = $"The tag {repository.Tag} of {url} is {candidate.Revision}, and {listed} in the list.",
            }
            : candidate;
    }

    /// <summary>Does something for several repositories at once, and for no more than so many.</summary>
    private Task Side<T>(
        IEnumerable<T> all, Func<T, CancellationToken, Task> work, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(
            all,
            new ParallelOptions
            {
                MaxDegreeOfParallelism = _settings.Connections,
                CancellationToken = cancellationToken,
            },
            async (one, token) => await work(one, token));

    private string UrlOf(string name) =>
        _settings.Url.Replace(GitRepositoriesSettings.NamePlace, name, StringComparison.Ordinal);

    private static string Cursor(IEnumerable<(string Name, string Mark)> all, string fingerprint) =>
        $"{Hash(string.Concat(all.Select(one => $"{one.Name}\0{one.Mark}\0")))} {fingerprint}";

    private string Fingerprint(Packagers packagers) => Hash(
        $"{_settings.Url}\n{_settings.Repository}\n{_settings.Reference.Branch}\n{_settings.Reference.Tags}\n"
        + packagers.Text)[..16];

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
