using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Master.Polling;

namespace Quarters.Master.Tests;

/// <summary>Who waits for news of a job hears them when they are there.</summary>
public class SightingsTests
{
    private const string Job = "zlib-1.3-1-x86_64-01234567";

    /// <summary>Regression: in a farm that had just begun, or whose master had, a builder waited for the end of its
    /// question, half a minute, before it learned that its claim was seen.</summary>
    [Fact]
    public void The_first_word_of_a_builder_is_news_about_what_all_the_others_claim()
    {
        var touched = new List<string>();
        var sightings = new Sightings(default) { Touched = touched.AddRange };
        sightings.Saw(Seen("anna").Hearing(State(1, Job), DateTimeOffset.UnixEpoch));
        Assert.Equal([Job], touched);

        var ben = Seen("ben").Hearing(State(1), DateTimeOffset.UnixEpoch);
        sightings.Saw(ben);
        Assert.Equal([Job, Job], touched);

        // Nobody waited for that.
        sightings.Saw(ben.Hearing(State(2), DateTimeOffset.UnixEpoch));
        Assert.Equal([Job, Job], touched);
    }

    [Fact]
    public void That_a_builder_is_waited_for_no_more_is_news_about_what_the_others_claim()
    {
        var sightings = new Sightings(default);
        sightings.Saw(Seen("anna").Hearing(State(1, Job), DateTimeOffset.UnixEpoch));
        var touched = new List<string>();
        sightings.Touched = touched.AddRange;
        sightings.Forget(new BuilderRecord
        {
            Name = "ben",
            Url = "https://ben.example.org/",
            PublicKey = "ben",
            Since = DateTimeOffset.UnixEpoch,
        });
        Assert.Equal([Job], touched);
    }

    private static BuilderSighting Seen(string name) => new()
    {
        Name = name,
        Url = $"https://{name}.example.org/",
        PublicKey = name,
        PolledSince = DateTimeOffset.UnixEpoch,
    };

    private static BuilderStateDocument State(long revision, params ImmutableArray<string> claimed) => new()
    {
        Revision = revision,
        Name = "builder",
        Architectures = ["x86_64"],
        Slots = 2,
        Alive = DateTimeOffset.UnixEpoch,
        Claims =
        [
            .. claimed.Select(job => new Claim
            {
                Job = job,
                Attempt = 1,
                Phase = ClaimPhase.Claimed,
                Since = DateTimeOffset.UnixEpoch,
            }),
        ],
        Results = [],
    };
}
