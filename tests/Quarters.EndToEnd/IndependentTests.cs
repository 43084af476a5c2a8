using System.Text.Json;
using Quarters.Core;
using Quarters.Core.Planning;

namespace Quarters.EndToEnd;

/// <summary>A farm that publishes only what two builders have built, each for itself and both the same.</summary>
public sealed class IndependentTests
{
    [Fact]
    public async Task What_two_builders_build_alike_is_published_and_what_differs_is_said()
    {
        await using var farm = await SpreadFarm.CreateAsync(
            text => text + "\n[[independent]]\nbuilds = 2\npackages = [\"tally*\"]\n");
        await farm.AddBuilderAsync("anna");
        await farm.AddBuilderAsync("bruno");
        farm.Packages.Write("tally", "1.0", "", """
            build() {
              printf 'int main(void) { return __LINE__; }\n' > main.c
              cc $CFLAGS $LDFLAGS -o tally main.c
            }
            """, "install -Dm755 tally \"$pkgdir/usr/bin/tally\"");
        farm.Packages.Write("tally-dice", "1.0", "", "", """
            mkdir -p "$pkgdir/usr/share"
            head -c 9 /dev/urandom > "$pkgdir/usr/share/tally-dice"
            """);
        await farm.Packages.CommitAsync("one that is reproducible, and one that is not");
        var end = await farm.UntilAsync(
            s => s.Counts is { Built: 1, Failed: 1 }, "one is published, and the other given up");

        var tally = JsonSerializer.Deserialize(
            (await farm.OperateAsync("job", "tally", "--json")).StandardOutput, QuartersJson.Default.JobDocument)!.Job;
        Assert.Equal([AttemptEnd.Witnessed, AttemptEnd.Accepted], tally.Attempts.Select(attempt => attempt.End));
        Assert.Equal(["anna", "bruno"], tally.Attempts.Select(attempt => attempt.Builder).Order());
        Assert.Single(tally.Attempts.Select(attempt => attempt.Result!.Files[0].Sha256).Distinct());
        Assert.Contains(
            "==> Making package: tally 1.0-1", (await farm.OperateAsync("log", "tally")).StandardOutput,
            StringComparison.Ordinal);

        var dice = Assert.Single(end.Jobs, job => job.Status == JobStatus.Failed);
        Assert.Contains(
            "==> Making package: tally-dice 1.0-1",
            (await farm.OperateAsync("log", dice.Id + ".1")).StandardOutput, StringComparison.Ordinal);
        Assert.Contains("usr/share/tally-dice in tally-dice-1.0-1-x86_64.pkg.tar.zst differ", dice.Reason,
            StringComparison.Ordinal);
        Assert.Contains("no 2 of them the same: it is not reproducible", dice.Reason, StringComparison.Ordinal);
        var root = Path.Combine(farm.Folder, "root");
        await farm.PacmanAsync(root, "-Sy", "tally");
        Assert.DoesNotContain("dice", await farm.PacmanAsync(root, "-Sl", "quarters"), StringComparison.Ordinal);
    }
}
