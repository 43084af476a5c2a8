using System.Collections.Immutable;
using CsCheck;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Core.Tests;

/// <summary>A farm in which anything may happen: builders claim, obeying or not, build, fail in every way, vanish; and
/// the master makes of their documents what it makes of them.</summary>
public class AttemptPropertyTests
{
    private static Gen<(int Builders, (int Builder, int What, int Number)[] Steps)> History { get; } =
        Gen.Select(Gen.Int[1, 4], Gen.Select(Gen.Int[0, 3], Gen.Int[0, 14], Gen.Int[0, 100]).Array[0, 80]);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Every_job_ends_built_or_broken_and_broken_only_for_a_reason(int wanted) => History.Sample(
        history =>
        {
            var builders = Math.Max(wanted, history.Builders);
            var world = new World(builders, wanted);
            foreach (var step in history.Steps) world.Do(step.Builder % builders, step.What, step.Number);
            world.Settle();
        }, iter: 1000);

    /// <summary>The master, and what each builder's document says.</summary>
    private sealed class World
    {
        private const int MaxSettling = 500;
        private readonly Farm _farm = new();
        private readonly BuilderStateDocument[] _builders;
        private readonly HashSet<string> _begun = new(StringComparer.Ordinal);
        private int _version = 1;

        public World(int builders, int wanted)
        {
            _builders = [.. Enumerable.Range(0, builders).Select(i => new BuilderStateDocument
            {
                Revision = 1,
                Name = $"b{i}",
                Architectures = ["x86_64"],
                Slots = 1,
                Alive = default,
                Claims = [],
                Results = [],
            })];
            Apply(new Configured(Farm.Settings() with
            {
                Builders = [.. _builders.Select(b => new ValidatedBuilder(b.Name, "https://b", b.Name, ["x86_64"]))],
                Independent = [new IndependentBuilds(wanted, ["*"])],
            }));
            _farm.Commit("lib 1-1", "app 1-1 lib", "tool 1-1");
        }

        public void Do(int builder, int what, int number)
        {
            switch (what)
            {
                case 0: Claim(builder, number, obeying: false); break;
                case <= 3: Claim(builder, number, obeying: true); break;
                case 4: End(builder, number, null); break;
                case 5: End(builder, number, FailureKind.Package); break;
                case 6: End(builder, number, FailureKind.Timeout); break;
                case 7: End(builder, number, FailureKind.Environment); break;
                case 8: Say(builder, _builders[builder] with { Claims = [] }); break;
                case 14: GiveUp(builder); break;
                case 9: Vanish(builder, othersSeen: number % 2 == 0); break;
                case 10: _farm.Pass(TimeSpan.FromMinutes(number)); break;
                case 11: Refuse(builder, number); break;
                case 12 when number < 20: _farm.Commit($"lib {++_version}-1"); break;
                case 13 when number < 50: Apply(new Retried("app", "an operator asked for it")); break;
            }
        }

        /// <summary>From now on builders obey, and time passes: all must come to an end.</summary>
        public void Settle()
        {
            for (var step = 0; _farm.State.Ready.Count + _farm.State.Building.Count > 0; step++)
            {
                Assert.True(step < MaxSettling, "it goes on for ever");
                _farm.Pass(TimeSpan.FromMinutes(step));
                for (var builder = 0; builder < _builders.Length; builder++)
                {
                    // The master reads again what it could not settle before: a result of an attempt that was
                    // another's.
                    Say(builder, _builders[builder]);
                    Claim(builder, step, obeying: true);
                    End(builder, step, (step + builder) % 5 == 4 ? null : (FailureKind)((step + builder) % 3));
                }
            }

            foreach (var id in _farm.State.Blocked)
                Assert.All(_farm.State.Jobs[id].Blockers, blocker => Assert.Equal(BlockerKind.Failed, blocker.Kind));
        }

        private void Claim(int builder, int number, bool obeying)
        {
            var said = _builders[builder];
            var offered = obeying
                ? Projection.Queue(_farm.State, _farm.Now).Jobs.Where(job => !job.Avoid.Contains(said.Name))
                : Projection.Queue(_farm.State, DateTimeOffset.MaxValue).Jobs;
            var open = offered.Where(job => said.Results.All(r => r.Job != job.Id)).ToList();
            if (open.Count == 0 || !said.Claims.IsEmpty) return;
            var job = open[number % open.Count];
            var claim = new Claim { Job = job.Id, Attempt = job.Attempt, Phase = ClaimPhase.Building, Since = default };
            Say(builder, said with { Claims = [claim] });
        }

        private void End(int builder, int number, FailureKind? kind)
        {
            var said = _builders[builder];
            if (said.Claims.IsEmpty) return;
            var claim = said.Claims[number % said.Claims.Length];
            var result = Built(claim, number);
            if (kind is { } why)
            {
                result = result with
                {
                    Outcome = ResultOutcome.Failed,
                    Failure = new BuildFailure { Stage = "build", Kind = why, Message = "no" },
                };
            }

            Say(builder, said with { Claims = said.Claims.Remove(claim), Results = said.Results.Add(result) });
        }

        private void GiveUp(int builder)
        {
            var said = _builders[builder];
            var given = said.Claims.Select(
                c => new GivenUpBuild { Job = c.Job, Attempt = c.Attempt, Reason = "the builder was stopped" });
            Say(builder, said with { Claims = [], GivenUp = [.. given] });
        }

        private void Refuse(int builder, int number)
        {
            var said = _builders[builder];
            if (said.Claims.IsEmpty) return;
            var claim = said.Claims[number % said.Claims.Length];
            var result = Built(claim, number);
            Apply(new ResultRefused(said.Name, result, "its signature does not hold"));
            Say(builder, said with { Claims = said.Claims.Remove(claim) });
        }

        /// <summary>A result; now and then with other bytes than others have.</summary>
        private BuildResult Built(Claim claim, int number) =>
            _farm.Result(_farm.State.Jobs[claim.Job], ResultOutcome.Built) with
            {
                Attempt = claim.Attempt,
                Files = [new ResultFile("file", 1, number % 7 == 0 ? $"{number}" : "as always")],
            };

        private void Vanish(int builder, bool othersSeen)
        {
            var now = _farm.Now + TimeSpan.FromMinutes(10);
            var lost = BuilderReview.Expire(
                _farm.State, _builders[builder].Name, null, _farm.Now, othersSeen ? now : null, now);
            foreach (var happened in lost) Apply(happened);
        }

        private void Say(int builder, BuilderStateDocument said)
        {
            var reviewed = BuilderReview.Read(_farm.State, said.Name, said, _farm.Now);
            foreach (var happened in reviewed.Events) Apply(happened);
            foreach (var result in reviewed.Collect) Accept(said.Name, result);
            // What is settled is forgotten, as builders do.
            _builders[builder] = said with
            {
                Claims = said.Claims.RemoveAll(c => IsSettled(c.Job, c.Attempt)),
                Results = said.Results.RemoveAll(r => IsSettled(r.Job, r.Attempt)),
            };
        }

        private void Accept(string builder, BuildResult result)
        {
            var job = _farm.State.Jobs[result.Job];
            if (!job.IsOpen || job.Attempt != result.Attempt) return;
            if (!Agreement.IsReached(job, builder, result))
            {
                Apply(new ResultWitnessed(builder, result, null));
                return;
            }

            Apply(new ResultAccepted(builder, result,
            [
                new RepositoryPackage
                {
                    Name = job.Pkgbase,
                    Pkgbase = job.Pkgbase,
                    Version = job.Version,
                    Architecture = job.Architecture,
                    FileName = $"{job.Pkgbase}.pkg.tar.zst",
                    Sha256 = $"{job.Id}.{result.Attempt}",
                    Bytes = 1,
                    Job = job.Id,
                },
            ]));
        }

        private bool IsSettled(string id, int attempt) =>
            _farm.State.Jobs[id] is var job && (!job.IsOpen || job.Attempt > attempt);

        private void Apply(MasterEvent happened)
        {
            var before = _farm.State;
            _farm.Apply(happened);
            foreach (var id in _farm.Last.Jobs) Check(before.Jobs.GetValueOrDefault(id), _farm.State.Jobs[id]);
        }

        private void Check(Job? before, Job job)
        {
            if (job.Status == JobStatus.Building && before?.Status == JobStatus.Ready)
            {
                var who = job.Wanted > 1 ? job.Builder : "";
                Assert.True(
                    _begun.Add($"{job.Id}.{job.Attempt} {who}"), $"attempt {job.Attempt} of {job.Id} began twice");
            }

            // What was witnessed leaves its number to those who confirm it.
            var numbers = job.Attempts.Where(a => a.End != AttemptEnd.Witnessed).Select(a => a.Number).ToList();
            Assert.Equal(numbers.Distinct().Order(), numbers);
            if (job.IsOpen) Assert.DoesNotContain(job.Attempt, numbers);
            var witnesses = Agreement.WitnessesOf(job).Select(a => a.Builder).ToList();
            Assert.Equal(witnesses.Distinct(), witnesses);
            if (job.Status == JobStatus.Built && before is { IsOpen: true })
            {
                var alike = job.CurrentAttempts().Where(
                    a => a.Result is { } one && Agreement.AreSame(one, job.Attempts[^1].Result!));
                Assert.True(alike.Select(a => a.Builder).Distinct().Count() >= job.Wanted, "too few have built it");
            }


            var givenUp = job.CurrentAttempts().Where(a => a.End == AttemptEnd.GivenUp).Select(a => a.Builder).ToList();
            Assert.Equal(givenUp.Distinct(), givenUp);
            var tried = job.CurrentAttempts()
                .RemoveAll(a => a.End is AttemptEnd.GivenUp or AttemptEnd.Witnessed);
            var most = _farm.State.Settings!.MaxAttempts;
            Assert.True(tried.Length <= most);
            if (job.Status != JobStatus.Failed)
            {
                if (job.IsOpen) Assert.True(tried.Length < most);
                return;
            }

            var verdicts = tried.Where(a => a.Result?.Failure is { Kind: not FailureKind.Environment }).ToList();
            var agree = verdicts.Select(a => a.Builder).Distinct().Count();
            var lost = tried.Where(a => a is { End: AttemptEnd.Lost, Excused: false })
                .Select(a => a.Builder).Distinct();
            Assert.True(
                agree >= 2 || lost.Count() >= 2 || tried.Length == most || (agree == 1 && _builders.Length == 1)
                || (verdicts.Count > 1 && verdicts[^1].Settled - verdicts[^2].Settled >= Avoidance.AfterVerdict)
                || (job.Wanted > 1 && witnesses.Count > 1),
                $"{job.Id} is broken although {Why.Of(_farm.State, job)}");
        }
    }
}
