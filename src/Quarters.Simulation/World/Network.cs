namespace Quarters.Simulation.World;

/// <summary>
/// The links between nodes. A pull asks and is answered, each way with its delay; either may be lost, a link may be cut
/// for one direction of asking, and a cache may answer with what was so a while ago. Nothing comes twice: these are
/// pulls.
/// </summary>
internal sealed class Network(Agenda agenda, Dice dice, FaultLevel faults)
{
    /// <summary>Added to what a reader is ready to wait, until it takes no answer for a failure.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    private readonly Dictionary<int, TimeSpan> _distance = [];
    private readonly HashSet<(int From, int To)> _cuts = [];

    /// <summary>Cuts or mends one direction of asking between two nodes.</summary>
    public void Cut(int from, int to, bool isCut)
    {
        if (isCut) _cuts.Add((from, to));
        else _cuts.Remove((from, to));
    }

    /// <summary>Mends everything.</summary>
    public void MendAll() => _cuts.Clear();

    /// <summary>Whether one node can read another now.</summary>
    public bool IsReachable(SimulatedNode from, SimulatedNode to) =>
        from.IsUp && to.IsUp && !_cuts.Contains((from.Number, to.Number));

    /// <summary>Reads a document.</summary>
    /// <param name="from">Who asks.</param>
    /// <param name="to">Who is asked.</param>
    /// <param name="what">What is asked for, in a word.</param>
    /// <param name="find">Finds the document there; null when there is none.</param>
    /// <param name="known">The version that is known; 0 for none.</param>
    /// <param name="wait">How long the other may wait for news.</param>
    /// <param name="done">Gets the answer, unless whoever asked has died.</param>
    public void Pull<T>(
        SimulatedNode from, SimulatedNode to, string what, Func<Published<T>?> find, long known, TimeSpan wait,
        Action<Pulled<T>> done)
        where T : class
    {
        from.CountPull(what);
        var life = from.Life;
        if (IsLost()) Fail(wait + Deadline);
        else agenda.After(Delay(from, to), Serve);
        return;

        void Serve()
        {
            if (!IsReachable(from, to))
            {
                // Refused is seen sooner than a deadline.
                Fail(to.IsUp ? wait + Deadline : Delay(to, from));
                return;
            }

            if (find() is not { } document)
            {
                Respond(null, 0, PullEnd.Missing);
                return;
            }

            if (document.Value is null)
            {
                Fail(Delay(to, from));
                return;
            }

            if (document.HasCache && faults != FaultLevel.None && dice.Chance(0.1))
            {
                var (value, version) = document.AsOf(agenda.Now - dice.Between(default, TimeSpan.FromSeconds(30)));
                Respond(value, version, PullEnd.Document);
                return;
            }

            if (document.Version != known || wait <= TimeSpan.Zero)
            {
                RespondWith(document);
                return;
            }

            var (server, isServed) = (to.Life, false);
            document.OnNext(Once);
            agenda.After(wait, Once);
            return;

            void Once()
            {
                if (isServed) return;
                isServed = true;
                if (to.Life == server) RespondWith(document);
                else Fail(Deadline);
            }
        }

        void RespondWith(Published<T> document)
        {
            if (document.Version == known) Respond(null, known, PullEnd.NotModified);
            else Respond(document.Value, document.Version, PullEnd.Document);
        }

        void Respond(T? value, long version, PullEnd end)
        {
            if (!IsReachable(from, to) || IsLost()) Fail(Deadline);
            else agenda.After(Delay(to, from), () => Answer(new Pulled<T>(value, version, end)));
        }

        void Fail(TimeSpan after) => agenda.After(after, () => Answer(new Pulled<T>(null, 0, PullEnd.Failed)));

        void Answer(Pulled<T> pulled)
        {
            if (from.IsUp && from.Life == life) done(pulled);
        }
    }

    /// <summary>How long a message takes.</summary>
    public TimeSpan Delay(SimulatedNode from, SimulatedNode to)
    {
        var delay = Distance(from.Number) + Distance(to.Number);
        var jitter = faults switch
        {
            FaultLevel.None => 0.1,
            FaultLevel.Bad => dice.Chance(0.05) ? 20 : 0.5,
            _ => dice.Chance(0.1) ? 60 : 1,
        };
        return delay * (1 + (jitter * dice.Next()));
    }

    private TimeSpan Distance(int node)
    {
        if (_distance.TryGetValue(node, out var known)) return known;
        // Volunteers all over the world: from the same town to the other side of the earth.
        return _distance[node] = dice.For("distance " + node).Between(
            TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(80));
    }

    private bool IsLost() => faults switch
    {
        FaultLevel.None => false,
        FaultLevel.Bad => dice.Chance(0.005),
        _ => dice.Chance(0.03),
    };
}

/// <summary>The answer to a pull.</summary>
/// <param name="Value">The document; null when there is none to give.</param>
/// <param name="Version">Its version.</param>
/// <param name="End">How it ended.</param>
internal sealed record Pulled<T>(T? Value, long Version, PullEnd End)
    where T : class;

/// <summary>How a pull ended.</summary>
internal enum PullEnd
{
    /// <summary>With a document.</summary>
    Document,

    /// <summary>With the word that nothing changed.</summary>
    NotModified,

    /// <summary>With the word that there is no such document.</summary>
    Missing,

    /// <summary>Without an answer.</summary>
    Failed,
}
