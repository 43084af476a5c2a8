using CsCheck;
using Quarters.Core.Claims;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Tests;

/// <summary>Whose turn it is, against the order worked out by looking at every builder.</summary>
public class TurnTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    private static Gen<Situation[]> Farms { get; } = Gen.Select(
        Gen.Int[0, 2], Gen.Int[0, 4], Gen.Bool, Gen.Int[0, 9],
        (weight, busy, isAble, luck) =>
            new Situation(Math.Pow(2, weight - 1), busy * 50, isAble || luck < 8, luck != 9))
        .Array[1, 40];

    [Fact]
    public void Near_the_critical_path_the_order_is_that_of_expected_ends_and_of_lots_among_equals() => Farms.Sample(
        farm =>
        {
            var roster = new Roster([.. farm.Select((one, number) => new ListedBuilder
            {
                Name = $"b{number}",
                Url = $"https://b{number}.example.org/",
                PublicKey = $"sha256:b{number}",
                Architectures = [one.IsAble ? "x86_64" : "aarch64"],
                Weight = one.Weight,
            })]);
            var digest = new DigestDocument
            {
                Revision = 1,
                Time = Noon,
                Builders = [.. farm.Select((one, number) => new DigestBuilder
                {
                    PublicKey = $"sha256:b{number}",
                    Revision = 1,
                    LastSeen = Noon,
                    Lost = !one.IsThere,
                    FreeSlots = one.SecondsUntilFree > 0 ? 0 : 1,
                    FreeAt = Noon.AddSeconds(one.SecondsUntilFree),
                })],
            };
            var claims = new ClaimFarm("anybody");
            var job = claims.Offer("zlib", but: j => j with { ReadyAt = Noon.AddHours(-1) });
            var queue = claims.Queue with { Outlook = new Outlook(1, 1) };
            var (standing, now) = (new Standing(roster, digest), Noon.AddHours(1));
            var lots = roster.LotsFor(JobId.AttemptName(job.Id, job.Attempt)).ToArray();
            for (var me = 0; me < farm.Length; me++)
            {
                if (!farm[me].IsAble) continue;
                // An hour later all are long free: the ring is open to everybody, and ranks are exact.
                var isFree = farm[me].SecondsUntilFree == 0;
                var turn = Turn.Of(standing, new Claimant(me, isFree, 0), job, queue, new ClaimPace(), now);
                var mine = Finish(me) + (isFree ? 0 : 3600 - farm[me].SecondsUntilFree);
                var before = Enumerable.Range(0, farm.Length).Count(other => other != me && farm[other].IsAble
                    && farm[other].IsThere
                    && (Finish(other) < mine || (Finish(other) == mine && lots[other] > lots[me])));
                Assert.Equal(before, turn.Rank);
            }

            double Finish(int builder) =>
                farm[builder].SecondsUntilFree + (job.EstimatedSeconds / farm[builder].Weight);
        }, iter: 2000);

    [Fact]
    public void A_job_with_which_the_slowest_builder_would_hold_up_the_farm_goes_to_a_faster_one()
    {
        var farm = new ClaimFarm(new Dictionary<string, double> { ["fast"] = 1, ["slow"] = 0.5 });
        var (fast, slow) = (farm.Roster.IndexOf(ClaimFarm.KeyOf("fast")), farm.Roster.IndexOf(ClaimFarm.KeyOf("slow")));
        // One for which the slow builder is the first by its lot, and others, so that not everybody has a job anyway.
        var job = Enumerable.Range(0, 100).Select(number => farm.Offer($"p{number}")).First(
            one => farm.Roster.OrderFor(JobId.AttemptName(one.Id, one.Attempt))[0] == slow);
        farm.Offer("another");
        farm.Offer("a-third");
        var queue = farm.Queue with { Outlook = new Outlook(WorkSeconds: 1500, PathSeconds: 0) };
        var standing = new Standing(farm.Roster, farm.Digest);

        Assert.Equal((0, 1), Ranks(job with { EstimatedSeconds = 390, Priority = 390 }));
        Assert.Equal((1, 0), Ranks(job with { EstimatedSeconds = 400, Priority = 400 }));
        Assert.Equal((0, 1), Ranks(job with { EstimatedSeconds = 10, Priority = 700 }));
        Assert.Equal((1, 0), Ranks(job with { EstimatedSeconds = 10, Priority = 800 }));

        (int Slow, int Fast) Ranks(QueueJob wanted) => (Rank(slow, wanted), Rank(fast, wanted));

        int Rank(int builder, QueueJob wanted) => Turn.Of(
            standing, new Claimant(builder, IsFree: true, 0), wanted, queue, new ClaimPace(), farm.MasterNow).Rank;
    }

    private sealed record Situation(double Weight, int SecondsUntilFree, bool IsAble, bool IsThere);
}
