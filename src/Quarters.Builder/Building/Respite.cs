using Quarters.Core.Documents;

namespace Quarters.Builder.Building;

/// <summary>
/// The pause after builds that failed for a reason of this machine: a builder with a full disk would otherwise fail
/// every
/// job of the queue in a minute. It doubles with each such failure in a row, and a build that comes further ends it.
/// </summary>
internal sealed class Respite(TimeProvider time)
{
    internal static readonly TimeSpan First = TimeSpan.FromSeconds(15);
    internal static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);

    private readonly Lock _gate = new();
    private int _failures;
    private DateTimeOffset _until;

    /// <summary>Nothing is taken before this.</summary>
    internal DateTimeOffset Until
    {
        get
        {
            lock (_gate)
                return _until;
        }
    }

    /// <summary>Takes note of a result.</summary>
    /// <returns>What is wrong, in a sentence; null when nothing is.</returns>
    internal string? Note(BuildResult result)
    {
        lock (_gate)
        {
            if (result.Failure is not { Kind: FailureKind.Environment } failure)
            {
                _failures = 0;
                _until = default;
                return null;
            }

            // A server that does not have one package's sources says nothing about this machine.
            if (failure.Stage == "sources")
                return null;
            _failures++;
            var pause = TimeSpan.FromTicks(Math.Min(Longest.Ticks, First.Ticks << Math.Min(20, _failures - 1)));
            _until = time.GetUtcNow() + pause;
            var last = _failures == 1 ? "build" : $"{_failures} builds";
            return $"The last {last} failed for a reason of this machine or its network "
                + $"({failure.Stage}: {failure.Message.TrimEnd('.')}); "
                + $"nothing is taken before {_until:yyyy-MM-dd HH:mm:ss}Z. "
                + "`quarters doctor` tells what a machine lacks to build.";
        }
    }
}
