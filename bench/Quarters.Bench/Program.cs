using System.Diagnostics;
using System.Globalization;
using Quarters.Alpm;
using Quarters.Bench;

// What bench/repo-add and bench/repo-read run; they say what the numbers mean.
switch (args)
{
    case ["write", var folder, var count]:
        SampleRepository.Write(folder, int.Parse(count, CultureInfo.InvariantCulture));
        return 0;
    case ["add", var folder, var count, .. var packages]:
        SampleRepository.Add(folder, int.Parse(count, CultureInfo.InvariantCulture), packages);
        return 0;
    case ["read", var database]:
        for (var round = 0; round < 12; round++)
        {
            var watch = Stopwatch.StartNew();
            using var file = File.OpenRead(database);
            var read = SyncDatabase.Read(file, new SyncReadLimits()).Count();
            Console.WriteLine(
                $"{watch.Elapsed.TotalSeconds.ToString("F3", CultureInfo.InvariantCulture)} s: {read} packages");
        }

        return 0;
    default:
        Console.Error.WriteLine("write FOLDER COUNT | add FOLDER COUNT PACKAGE… | read DATABASE");
        return 2;
}
