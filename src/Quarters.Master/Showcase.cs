using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Master.Pages;
using Quarters.Master.Polling;
using Quarters.Node;

namespace Quarters.Master;

/// <summary>
/// Keeps the master's public documents up to date: the small ones that are waited for are rendered when something
/// changed, those of single jobs and packages when they are asked for.
/// </summary>
internal sealed class Showcase
{
    private const string BootstrapsPath = "/v1/bootstraps.json";
    private const string ChangesPath = "/v1/changes.json";
    private const string CyclesPath = "/v1/cycles.json";
    private const string Json = "application/json";
    private const string JobPrefix = "/v1/jobs/";
    private const string PackagePrefix = "/v1/packages/";
    private const string SignalPrefix = "/v1/signals/";

    /// <summary>The digest's revision is that of the state times this, plus what changed since and no event says. Each
    /// start is an event, so it never goes back; below 2^53 it is exact in every JSON reader for 2^29 events.</summary>
    private const long ChangesPerEvent = 1 << 24;

    /// <summary>However much happens, documents are rendered no more often than this.</summary>
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>A digest that differs from the last one only by when builders were last seen is written so
    /// seldom.</summary>
    private static readonly TimeSpan DigestInterval = TimeSpan.FromSeconds(10);

    private readonly Channel<bool> _changed =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly MasterOptions _options;
    private readonly Identity _identity;
    private readonly PublicTree _tree;
    private readonly Ledger _ledger;
    private readonly Sightings _sightings;
    private readonly Setup _setup;
    private readonly KnownCycles _cycles = new();
    // SHA-256 of what the documents said last, without what moves by itself: of a long queue that is all we keep.
    private byte[]? _queue;
    private byte[]? _builders;
    private byte[]? _deeds;
    private DateTimeOffset _shown;
    private DigestDocument? _digest;

    public Showcase(
        MasterOptions options, Identity identity, PublicTree tree, Ledger ledger, Sightings sightings, Setup setup)
    {
        _options = options;
        _identity = identity;
        _tree = tree;
        _ledger = ledger;
        _sightings = sightings;
        _setup = setup;
        setup.Changed = () =>
        {
            Show("/v1/node.json", Node(), QuartersJson.Default.NodeDocument);
            _changed.Writer.TryWrite(true);
        };
        ledger.Changed += () => _changed.Writer.TryWrite(true);
        sightings.Changed = () => _changed.Writer.TryWrite(true);
        ledger.Touched = TouchJobs;
        sightings.Touched = TouchJobs;
    }

    private Dictionary<string, string> Kinds =>
        _setup.Current.Sources.ToDictionary(s => s.Name, s => s.Kind, StringComparer.Ordinal);

    /// <summary>Maps everything that is served.</summary>
    public void MapAll(MasterFolders folders, Journal<MasterEvent> journal)
    {
        _tree.Map("/src/", folders.SourcePackages, FileKind.Immutable);
        _tree.Map("/repo/", folders.Repositories, FileKind.Repository);
        _tree.Map("/snapshot/", folders.Snapshots, FileKind.Immutable);
        _tree.Map("/v1/logs/", folders.Logs, FileKind.Replaced);
        _tree.Map("/v1/journal/", journal.SegmentsDirectory, FileKind.Growing, journal.DurableLength);
        _tree.Render(
            JobPrefix, r => Named(r, JobPrefix, Job), () => _ledger.State.Revision + _sightings.Revision);
        _tree.Render(PackagePrefix, r => Named(r, PackagePrefix, Package), () => _ledger.State.Revision);
        _tree.Render(SignalPrefix, r => Named(r, SignalPrefix, Signal), () => _ledger.State.Revision);
        _tree.Render(
            BootstrapsPath, r => r.Path == BootstrapsPath ? ShownBootstraps() : null, () => _ledger.State.Revision);
        _tree.Render(ChangesPath, r => r.Path == ChangesPath ? Changes() : null, () => _ledger.State.Revision);
        _tree.Render(CyclesPath, r => r.Path == CyclesPath ? Cycles() : null, () => _ledger.State.Revision);
        Show("/v1/node.json", Node(), QuartersJson.Default.NodeDocument);
        ShowState();
    }

    /// <summary>Shows the pages for people, at every path that nothing else is at.</summary>
    /// <param name="address">The base address under which others reach this master.</param>
    public void MapPages(Uri address) =>
        _tree.Render("/", request => MasterPages.Render(request, Pages(address)), () => _ledger.State.Revision);

    /// <summary>Renders what changed until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await WaitAsync(cancellationToken);
            _changed.Reader.TryRead(out _);
            ShowState();
            await Task.Delay(ShortestInterval, _options.Time, cancellationToken);
        }
    }

    /// <summary>Waits for a change, or until a job has rested after its failure and enters the queue.</summary>
    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pause = Timeout.InfiniteTimeSpan;
        // Counted from when the queue was last rendered, or what came due since then would be missed.
        if (Projection.NextInQueue(_ledger.State, _shown) is { } at)
        {
            var left = at - _options.Time.GetUtcNow();
            pause = left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }

        await Task.WhenAny(
            _changed.Reader.WaitToReadAsync(either.Token).AsTask(), Task.Delay(pause, _options.Time, either.Token));
        await either.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private void ShowState()
    {
        var state = _ledger.State;
        _shown = _options.Time.GetUtcNow();
        var queue = Projection.Queue(state, _shown);
        // Documents that readers wait for move only when what they say does.
        if (IsNews(
            ref _queue, queue with { Revision = 0, Time = default, Outlook = new Outlook(0, 0) },
            QuartersJson.Default.QueueDocument))
            Show("/v1/queue.json", queue, QuartersJson.Default.QueueDocument);
        var listed = Projection.Builders(state);
        if (IsNews(ref _builders, listed with { Revision = 0 }, QuartersJson.Default.BuildersDocument))
            Show("/v1/builders.json", listed, QuartersJson.Default.BuildersDocument);
        ShowDigest(state);
        Show("/v1/state.json", State(state), QuartersJson.Default.MasterStateDocument);
    }

    private void ShowDigest(MasterState state)
    {
        var now = _options.Time.GetUtcNow();
        var revision = Math.Max(state.Revision * ChangesPerEvent, (_digest?.Revision ?? 0) + 1);
        var digest = _sightings.Digest(state, revision, now);
        if (!IsNews(ref _deeds, Deeds(digest), QuartersJson.Default.DigestDocument)
            && _digest is { } shown && now - shown.Time < DigestInterval)
            return;
        Show("/v1/digest.json", _digest = digest, QuartersJson.Default.DigestDocument);
    }

    /// <summary>The digest without what moves though nobody does anything.</summary>
    private static DigestDocument Deeds(DigestDocument digest) => digest with
    {
        Revision = 0,
        Time = default,
        // That one was seen at all is news, whenever that was.
        Builders = [.. digest.Builders.Select(
            builder => builder with { Revision = Math.Min(1, builder.Revision), LastSeen = null })],
    };

    private MasterStateDocument State(MasterState state) => Projection.State(
        state, _options.Name, _sightings.Sources(state, Kinds), _sightings.Builders(state),
        _sightings.OutsideTroubles());

    private PageInput Pages(Uri address)
    {
        var state = _ledger.State;
        return new PageInput
        {
            State = state,
            Name = _options.Name,
            PublicKey = _identity.PublicKey.ToString(),
            Address = address,
            Sources = _sightings.Sources(state, Kinds),
            Builders = _sightings.Builders(state),
            OutsideTroubles = _sightings.OutsideTroubles(),
            Now = _options.Time.GetUtcNow(),
        };
    }

    private NodeDocument Node() => new()
    {
        Role = "master",
        Name = _options.Name,
        PublicKey = _identity.PublicKey.ToString(),
        Version = _options.Version,
        Architectures = _setup.Current.Settings.Architectures,
        Links = new Dictionary<string, string>
        {
            ["builders"] = "/v1/builders.json",
            ["digest"] = "/v1/digest.json",
            ["journal"] = "/v1/journal/",
            ["queue"] = "/v1/queue.json",
            ["state"] = "/v1/state.json",
        }.ToImmutableSortedDictionary(StringComparer.Ordinal),
    };

    private Page? Job(string id)
    {
        var state = _ledger.State;
        return state.Jobs.TryGetValue(id, out var job)
            ? new Page(JsonSerializer.SerializeToUtf8Bytes(
                Projection.Job(state, job) with { Seen = _sightings.ClaimsOn(state, job, _options.Time.GetUtcNow()) },
                QuartersJson.Default.JobDocument), Json)
            : null;
    }

    private Page? Signal(string id) =>
        _ledger.State.Signals.TryGetValue(id, out var outcome)
            ? new Page(JsonSerializer.SerializeToUtf8Bytes(
                Projection.Signal(outcome), QuartersJson.Default.SignalDocument), Json)
            : null;

    private Page? Package(string pkgbase)
    {
        var document = Projection.Package(_ledger.State, pkgbase);
        return new Page(JsonSerializer.SerializeToUtf8Bytes(document, QuartersJson.Default.PackageDocument), Json);
    }

    private Page ShownBootstraps() => new(
        JsonSerializer.SerializeToUtf8Bytes(
            Bootstraps.Document(_ledger.State), QuartersJson.Default.BootstrapsDocument), Json);

    private Page Changes() => new(
        JsonSerializer.SerializeToUtf8Bytes(Moves.Document(_ledger.State), QuartersJson.Default.ChangesDocument), Json);

    private Page Cycles() => new(
        JsonSerializer.SerializeToUtf8Bytes(_cycles.Of(_ledger.State), QuartersJson.Default.CyclesDocument), Json);

    private static Page? Named(PageRequest request, string prefix, Func<string, Page?> find)
    {
        var name = request.Path[prefix.Length..];
        if (!name.EndsWith(".json", StringComparison.Ordinal)) return null;
        name = name[..^".json".Length];
        return JobId.IsValid(name) ? find(name) : null;
    }

    /// <summary>Those who wait for news of these jobs are answered.</summary>
    private void TouchJobs(IReadOnlyCollection<string> jobs)
    {
        foreach (var id in jobs) _tree.Touch($"{JobPrefix}{id}.json");
    }

    private void Show<T>(string path, T document, JsonTypeInfo<T> info) =>
        _tree.Publish(path, JsonSerializer.SerializeToUtf8Bytes(document, info), Json);

    private static bool IsNews<T>(ref byte[]? said, T document, JsonTypeInfo<T> info)
    {
        using var hash = SHA256.Create();
        // Piece by piece: a queue of thousands of jobs is never in memory as a whole to be compared.
        using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write))
            JsonSerializer.Serialize(stream, document, info);
        if (said is not null && said.AsSpan().SequenceEqual(hash.Hash))
            return false;
        said = hash.Hash;
        return true;
    }
}
