using System.Diagnostics;
using System.Globalization;
using Quarters.Bench;
using Quarters.Master.Repositories;

// What the scripts in bench/ run; they say what the numbers mean.
switch (args)
{
    case ["write", var folder, var count]:
        SampleRepository.Write(folder, int.Parse(count, CultureInfo.InvariantCulture));
        return 0;
    case ["add", var folder, var count, .. var packages]:
        SampleRepository.Add(folder, int.Parse(count, CultureInfo.InvariantCulture), packages);
        return 0;
    case ["keep", var folder, var count, var snapshots]:
        SampleRepository.Keep(
            folder, int.Parse(count, CultureInfo.InvariantCulture), int.Parse(snapshots, CultureInfo.InvariantCulture));
        return 0;
    case [("read" or "list") and var how, var database]:
        for (var round = 0; round < 25; round++)
        {
            var folder = RepositoryFolder.Find(database);
            var watch = Stopwatch.StartNew();
            var before = Environment.CpuUsage.TotalTime;
            var read = how == "read" ? folder.Read().Count : folder.List().Count;
            var processor = Environment.CpuUsage.TotalTime - before;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{watch.Elapsed.TotalSeconds:F4} {processor.TotalSeconds:F4} {read}"));
        }

        return 0;
    case ["poll", var kind, var url, var folder]:
        await SourceBench.PollAsync(kind, url, folder);
        return 0;
    default:
        Console.Error.WriteLine(
            "write FOLDER COUNT | add FOLDER COUNT PACKAGE… | keep FOLDER COUNT SNAPSHOTS | read DATABASE | "
            + "list DATABASE | poll KIND URL FOLDER");
        return 2;
}
