using System.Globalization;
using Quarters.Core.Documents;

namespace Quarters.Reading;

/// <summary>A bootstrap as people read it.</summary>
internal static class BootstrapText
{
    /// <summary>One line: how far it is.</summary>
    internal static string Summary(BootstrapStatus status) => $"{status.Name}: {Outcome(status)}";

    /// <summary>All there is to say, a line each.</summary>
    internal static IEnumerable<string> Lines(BootstrapStatus status)
    {
        yield return Summary(status);
        yield return $"It is of {Count(status.Packages, "package base")}, from {string.Join(", ", status.Seeds)}, "
            + $"since {status.Begun:yyyy-MM-dd HH:mm} UTC.";
        foreach (var line in status.LeftOut) yield return "  " + line;
        if (status.MoreLeftOut > 0) yield return $"  and {Count(status.MoreLeftOut, "package")} more left out";
        foreach (var stage in status.Finished)
        {
            var took = stage.Finished - stage.Begun;
            yield return stage.Number == 1
                ? $"stage 1: {Count(stage.Packages, "package")}, {Duration(took)}"
                : $"stage {stage.Number}: {Count(stage.Packages, "package")}, {Duration(took)}, "
                    + (stage.Differing == 0
                        ? $"all with the bytes of stage {stage.Number - 1}"
                        : $"{stage.Differing} unlike stage {stage.Number - 1}");
            foreach (var package in stage.Differences)
            {
                var more = package.More == 0 ? "" : $" and {package.More} more";
                yield return $"  {package.Package}: {(package.Files.IsEmpty
                    ? "differs" : string.Join(", ", package.Files))}{more}";
            }

            if (stage.Differing > stage.Differences.Length && !stage.Differences.IsEmpty)
                yield return $"  and {Count(stage.Differing - stage.Differences.Length, "package")} more";
        }

        if (status.Outcome is BootstrapOutcome.Building or BootstrapOutcome.Stuck)
        {
            yield return $"stage {status.Stage}: {status.Built} of {status.Packages} built";
            foreach (var line in status.NotBuilt) yield return "  " + line;
        }

        if (status.Finished is [.., var last])
        {
            yield return last.FromSeeds.IsEmpty
                ? $"No package of the seed was installed for stage {last.Number}."
                : $"{Count(last.FromSeeds.Length + last.MoreFromSeeds, "package")} of the seed, which the set does not "
                    + $"make, were installed for stage {last.Number}: {string.Join(" ", last.FromSeeds)}"
                    + (last.MoreFromSeeds == 0 ? "" : $" and {last.MoreFromSeeds} more");
        }
    }

    private static string Outcome(BootstrapStatus status) => status.Outcome switch
    {
        BootstrapOutcome.Building =>
            $"stage {status.Stage} of at most {status.MaxStages} is being built, {status.Built} of {status.Packages}",
        BootstrapOutcome.Stuck when status.Built == status.Packages =>
            $"stage {status.Stage} is stuck: all of it is built, and packages of it cannot be read",
        BootstrapOutcome.Stuck =>
            $"stage {status.Stage} is stuck at {status.Built} of {status.Packages}: nothing more of it can be built",
        BootstrapOutcome.Fixpoint =>
            $"the fixpoint is reached: stages {status.Stage - 1} and {status.Stage} have the same bytes",
        _ when status.Stage == 1 => "its one stage is built",
        _ => $"{status.Stage} stages are built, as many as were asked for, and the last two differ",
    };

    private static string Count(int count, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {what}{(count == 1 ? "" : "s")}");

    private static string Duration(TimeSpan took) => took.TotalSeconds < 120
        ? string.Create(CultureInfo.InvariantCulture, $"{took.TotalSeconds:0} s")
        : string.Create(CultureInfo.InvariantCulture, $"{took.TotalMinutes:0} min");
}
