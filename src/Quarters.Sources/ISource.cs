using Quarters.Core.Sources;

namespace Quarters.Sources;

/// <summary>Something that packages come from. One poll at a time; different sources may be polled side by
/// side.</summary>
public interface ISource
{
    /// <summary>The source's name in the configuration.</summary>
    string Name { get; }

    /// <summary>Says what changed since a cursor.</summary>
    /// <param name="cursor">The cursor of the last report that was taken to heart; null for everything.</param>
    /// <param name="cancellationToken">Stops the poll and every program that it started.</param>
    /// <exception cref="SourceUnreachableException">The source cannot be had now, or holds what it may not: the next
    /// poll may go better. The last report stays true.</exception>
    /// <exception cref="IOException">This machine's disk or tools failed: not the source's fault.</exception>
    Task<SourceReport> PollAsync(string? cursor, CancellationToken cancellationToken);

    /// <summary>Ends when something has changed since it was called, so that the next poll need not wait for its time.
    /// A source that is not told of changes says nothing, and is polled in its time.</summary>
    Task ChangedAsync(CancellationToken cancellationToken) => Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
}

/// <summary>The source did not answer, or not with what was asked for. The message ends with its last words.</summary>
public sealed class SourceUnreachableException(string message) : Exception(message);

/// <summary>A setting of a source cannot be used. The message says which and why.</summary>
public sealed class SourceSettingsException(string message) : Exception(message);
