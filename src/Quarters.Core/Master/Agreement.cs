using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>
/// When several builders must have built a job's packages, each for itself, before they are published. All must have
/// the same bytes: what one builder, or whoever broke into it, slips into a package the others do not have. Where they
/// differ more builders are asked, until enough have built the same or too many did not.
/// </summary>
public static class Agreement
{
    /// <summary>How many builders the attempt that is next or runs shall have. Those whose results of it wait for
    /// others are among them; those that built the same in earlier attempts are not asked again.</summary>
    public static int Wanted(Job job) =>
        job.Wanted <= 1 ? 1 : Math.Max(1, job.Wanted - MostAlike(job, attempt => attempt.Number < job.Attempt));

    /// <summary>Whether others may still begin the attempt while one builds it.</summary>
    public static bool TakesMore(Job job) => job.Wanted > 1
        && Wanted(job) - WitnessesOf(job).Count(witness => witness.Number == job.Attempt) > 1;

    /// <summary>Whether a result of the current attempt is to be looked at. Each builder has one word, and is heard
    /// again only when that word has to wait no longer, since fewer are wanted than before.</summary>
    public static bool IsNews(Job job, string builder, BuildResult result) =>
        WitnessesOf(job).FirstOrDefault(witness => witness.Builder == builder) is not { } known
        || (AreSame(known.Result!, result) && IsReached(job, builder, result));

    /// <summary>Whether a result that is right is enough, with those that wait, to be published.</summary>
    public static bool IsReached(Job job, string builder, BuildResult result) => job.Wanted <= 1
        || WitnessesOf(job).Where(witness => witness.Builder != builder && AreSame(witness.Result!, result))
            .DistinctBy(witness => witness.Builder).Count() + 1 >= job.Wanted;

    /// <summary>The results that wait, each of another builder.</summary>
    public static IEnumerable<Attempt> WitnessesOf(Job job) => job.Wanted <= 1
        ? []
        : job.CurrentAttempts().Where(attempt => attempt.End == AttemptEnd.Witnessed);

    /// <summary>Whether two results are the same packages, byte for byte.</summary>
    public static bool AreSame(BuildResult one, BuildResult other) => FilesOf(one) == FilesOf(other);

    /// <summary>How many of the builders that count have built the same at most.</summary>
    internal static int MostAlike(Job job, Func<Attempt, bool> which) => WitnessesOf(job).Where(which)
        .GroupBy(witness => FilesOf(witness.Result!), StringComparer.Ordinal)
        .Select(alike => alike.DistinctBy(witness => witness.Builder).Count())
        .DefaultIfEmpty().Max();

    /// <summary>Whether what waits is not all the same.</summary>
    internal static bool IsDisputed(Job job) =>
        WitnessesOf(job).DistinctBy(witness => FilesOf(witness.Result!)).Skip(1).Any();

    private static string FilesOf(BuildResult result) => string.Join(
        '\n', result.Files.Select(file => $"{file.Sha256} {file.Name}").Order(StringComparer.Ordinal));
}
