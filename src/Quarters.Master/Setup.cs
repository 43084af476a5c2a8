using System.Threading.Channels;

namespace Quarters.Master;

/// <summary>The configuration that is in force, and the loops that it decides: when another takes its place they end,
/// and those of the new one begin.</summary>
internal sealed class Setup
{
    private readonly Channel<MasterSetup> _next = Channel.CreateBounded<MasterSetup>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });

    private readonly Func<MasterSetup>? _reread;
    private MasterSetup _current;

    public Setup(MasterOptions options)
    {
        _current = new MasterSetup(options.Settings, options.Sources, options.Operators);
        _reread = options.Reread;
    }

    /// <summary>Called when another configuration is in force.</summary>
    public Action Changed { get; set; } = () => { };

    /// <summary>What is in force.</summary>
    public MasterSetup Current => Volatile.Read(ref _current);

    /// <summary>Reads the configuration, and changes nothing.</summary>
    /// <exception cref="MasterException">It cannot be used.</exception>
    public MasterSetup Reread() => _reread is not null
        ? _reread()
        : throw new MasterException("this master was started without a configuration that it could read again");

    /// <summary>Puts another configuration in force.</summary>
    public void Replace(MasterSetup next)
    {
        Volatile.Write(ref _current, next);
        _next.Writer.TryWrite(next);
        Changed();
    }

    /// <summary>Runs the loops of whatever configuration is in force, until cancelled or one breaks.</summary>
    public async Task RunAsync(
        Func<MasterSetup, IEnumerable<Func<CancellationToken, Task>>> loopsOf, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var loops = new Loops(ending);
            foreach (var loop in loopsOf(Current)) loops.Run(loop);
            var next = _next.Reader.WaitToReadAsync(ending.Token).AsTask();
            var ended = loops.Completion;
            // Without a source and an operator there is nothing that could end.
            if (ended.IsCompletedSuccessfully) ended = Task.Delay(Timeout.Infinite, ending.Token);
            await Task.WhenAny(next, ended);
            await ending.CancelAsync();
            await loops.Completion;
            cancellationToken.ThrowIfCancellationRequested();
            _next.Reader.TryRead(out _);
        }
    }
}
