using System.Threading.Channels;
using Quarters.Core.Master;
using Quarters.Sources.Intake;

namespace Quarters.Master.Rebuilding;

/// <summary>Begins the rebuilds that are to begin by themselves, and makes the source packages that rebuilds ask for,
/// and those of what changed meanwhile.</summary>
internal sealed class Bumping
{
    /// <summary>So many are made before they are journaled together.</summary>
    private const int Batch = 32;

    private readonly Channel<bool> _changed =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly Ledger _ledger;
    private readonly ReleaseBump? _bump;

    public Bumping(Ledger ledger, ReleaseBump? bump)
    {
        (_ledger, _bump) = (ledger, bump);
        ledger.Changed += () => _changed.Writer.TryWrite(true);
        _changed.Writer.TryWrite(true);
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (await _changed.Reader.WaitToReadAsync(cancellationToken))
        {
            _changed.Reader.TryRead(out _);
            await _ledger.DecideAsync(
                state => [.. LostLibraries.Due(state), .. Settling.Due(state)], cancellationToken);
            var made = new List<MasterEvent>();
            foreach (var wish in Rebuilds.Pending(_ledger.State).Take(Batch))
                made.Add(new RebuildBumped(
                    wish.Rebuild, wish.Source.Pkgbase, await MakeAsync(wish, cancellationToken)));
            // What is journaled here changes the state, and so brings the next ones.
            await _ledger.RecordAsync(made, cancellationToken);
        }
    }

    private Task<RebuildMember> MakeAsync(BumpWish wish, CancellationToken cancellationToken) => _bump is null
        ? Task.FromResult(new RebuildMember
        {
            Of = wish.Source.ArchiveSha256,
            Source = wish.Release is null ? wish.Source : null,
            Problem = wish.Release is null ? null : "this master was started without what reads PKGBUILDs",
        })
        : _bump.MakeAsync(wish, cancellationToken);
}
