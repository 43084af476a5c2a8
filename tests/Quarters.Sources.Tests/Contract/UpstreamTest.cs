using System.Collections.Immutable;
using Quarters.Core.Sources;

namespace Quarters.Sources.Tests.Contract;

/// <summary>A test with a source to write to, and polls of it.</summary>
public abstract class UpstreamTest : IAsyncLifetime
{
    private protected KnownPackages Known { get; } = new();

    private protected Workshop Workshop { get; } = new();

    /// <summary>Where the last poll that was taken to heart ended.</summary>
    private protected string? Cursor { get; set; }

    private protected Upstream Upstream { get; private set; } = null!;

    private protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    private protected abstract Task<Upstream> CreateAsync(Workshop workshop);

    public async ValueTask InitializeAsync()
    {
        Upstream = await CreateAsync(Workshop);
        Directory.CreateDirectory(Upstream.Tree);
    }

    public async ValueTask DisposeAsync()
    {
        await Upstream.DisposeAsync();
        Workshop.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>One poll, taken to heart as a master does.</summary>
    private protected async Task<SourceReport> PollAsync(ISource source)
    {
        var report = await source.PollAsync(Cursor, Stop);
        Cursor = report.Cursor;
        // A test that finds less than it asked for says why.
        foreach (var one in report.Unreadable)
            TestContext.Current.TestOutputHelper?.WriteLine($"unreadable: {one.Path}: {one.Reason}");
        Known.Apply(report);
        Assert.Equal(Known.Count, report.Total);
        return report;
    }

    private protected ImmutableArray<TreeEntry> Files(SourcePackage package)
    {
        using var archive = File.OpenRead(Workshop.Archives.PathOf(package.ArchiveSha256));
        return SourceArchive.Read(archive, TreeLimits.Default).Entries;
    }
}
