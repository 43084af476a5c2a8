using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging.Abstractions;
using Quarters.Linux.Files;

namespace Quarters.Node;

/// <summary>A look at a journal beside the node that works with it, if one does. Nothing is changed.</summary>
public static class JournalLook
{
    /// <summary>A node that runs compresses a segment while it is read, and not three times in a row.</summary>
    private const int MaxLooks = 3;

    /// <summary>Reads what is written by now, as <see cref="Journal{TEvent}.Recover"/> does.</summary>
    /// <param name="settings">Where it is; there may be none yet.</param>
    /// <param name="eventInfo">JSON of the events.</param>
    /// <param name="stateInfo">JSON of the state.</param>
    /// <param name="start">The state to begin with: made from the stored one, or from null when there is none. Called
    /// again when reading is begun anew.</param>
    /// <param name="apply">The state after an event.</param>
    /// <exception cref="JournalDamagedException">A file is damaged or missing.</exception>
    public static TState Read<TEvent, TState>(JournalSettings settings, JsonTypeInfo<TEvent> eventInfo,
        JsonTypeInfo<TState> stateInfo, Func<TState?, TState> start, Func<TState, JournalEntry<TEvent>, TState> apply)
        where TState : class
    {
        if (!Directory.Exists(settings.Segments))
            return start(null);
        for (var looks = 1; ; looks++)
        {
            using var journal = new Journal<TEvent>(
                settings, LinuxDisk.Instance, eventInfo, TimeProvider.System, NullLogger.Instance, held: null);
            try
            {
                return journal.Recover(stateInfo, start, apply);
            }
            catch (Exception e) when (looks < MaxLooks && e is JournalDamagedException or FileNotFoundException)
            {
                // A segment went into its compressed one between the look at the names and that into the file.
            }
        }
    }
}
