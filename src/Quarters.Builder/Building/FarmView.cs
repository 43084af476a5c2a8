using System.Collections.Immutable;
using Quarters.Core.Builder;
using Quarters.Core.Claims;
using Quarters.Core.Documents;

namespace Quarters.Builder.Building;

/// <summary>What this builder knows of the farm, shared by those who read and the one who decides.</summary>
internal sealed class FarmView(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly long _started = time.GetTimestamp();
    private BuilderView _view = BuilderView.Empty;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Now, on a clock that only runs forward.</summary>
    internal TimeSpan Now => time.GetElapsedTime(_started);

    /// <summary>Done when something was learned after this was read.</summary>
    internal Task Changed
    {
        get
        {
            lock (_gate)
                return _changed.Task;
        }
    }

    /// <summary>What is known.</summary>
    internal BuilderView View
    {
        get
        {
            lock (_gate)
                return _view;
        }
    }

    /// <summary>Something was learned.</summary>
    internal void Learn(Func<BuilderView, BuilderView> learned)
    {
        lock (_gate)
        {
            _view = learned(_view);
            var before = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            before.SetResult();
        }
    }

    /// <summary>Decides, while nobody changes what is known.</summary>
    internal ClaimStep Decide(BuilderState state, BuilderTerms terms, ClaimPace pace)
    {
        lock (_gate)
        {
            var step = Claiming.Next(state, _view, terms, pace, Now);
            _view = step.View;
            return step;
        }
    }

    /// <summary>The list of builders was read.</summary>
    internal void Learn(ImmutableArray<ListedBuilder> builders) => Learn(known => known.WithStanding(
        new Standing(new Roster(builders), known.Standing.Digest), known.DigestAskedAt, Now));

    /// <summary>The digest was read, or could not be: then what is known has to do for a while.</summary>
    internal void Learn(DigestDocument? digest, TimeSpan askedAt) => Learn(known => digest is null
        ? known with { DigestAskedAt = askedAt }
        : known.WithStanding(new Standing(known.Standing.Roster, digest), askedAt, Now));
}
