using System.CommandLine;
using System.Text.Json;
using Quarters.Alpm;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Reading;
using Quarters.Running;

namespace Quarters.Commands;

/// <summary><c>quarters repo</c>: looks into repositories, those of the farm and any other.</summary>
internal static class RepoCommand
{
    /// <summary>Bytes; a list of 15,000 packages takes 6 MB.</summary>
    private const long MemoryForLists = 32 << 20;

    private const string ChangesPath = "v1/changes.json";

    internal static Command Create() => new Command(
        "repo", "List, show, verify and adopt repositories, the farm's and any other; tell how the farm's changed.")
    {
        CreateList(), CreateShow(), CreateVerify(), CreateAdopt(), CreateHistory(),
    }.WithExample("""
        quarters repo list core
        quarters repo verify /srv/repo
        quarters repo adopt /srv/repo --into core
        """);

    private static Command CreateList()
    {
        var place = new RepositoryPlace(isOptional: true);
        var list = place.AddTo(new Command(
            "list", "Print the packages of a repository as `pacman -Sl` does; without one, the farm's repositories."));
        list.SetAction((parsed, _) =>
        {
            using var output = new StreamWriter(Console.OpenStandardOutput(), bufferSize: 1 << 16);
            // It is over before what it took would be worth collecting. Refused or not, the list is the same.
            GC.TryStartNoGCRegion(MemoryForLists);
            foreach (var (repository, label, isAsked) in place.Find(parsed))
            {
                var packages = repository.List().ToArray();
                if (!isAsked)
                {
                    output.WriteLine($"{label} {packages.Length} packages");
                    continue;
                }

                Array.Sort(packages, ListedPackage.ByName);
                foreach (var package in packages)
                {
                    output.Write(repository.Name);
                    output.Write(' ');
                    output.Write(package.Name);
                    output.Write(' ');
                    output.WriteLine(package.Version.ToString());
                }
            }

            return Task.FromResult(ExitCode.Done);
        });
        return list.WithExample("quarters repo list core/x86_64");
    }

    private static Command CreateShow()
    {
        var place = new RepositoryPlace(isOptional: false);
        var name = new Argument<string>("PACKAGE") { Description = "the package's name" };
        var show = place.AddTo(new Command("show", "Print what a repository's database says of a package."));
        show.Add(name);
        show.SetAction((parsed, _) =>
        {
            var wanted = parsed.GetRequiredValue(name);
            var console = parsed.InvocationConfiguration;
            var found = place.Find(parsed)
                .SelectMany(at => at.Repository.Read().Where(e => e.Name == wanted).Select(e => (at.Label, Entry: e)))
                .ToList();
            foreach (var (label, entry) in found) Print(console.Output, label, entry);
            if (found.Count == 0) console.Error.WriteLine($"quarters: no package {wanted} is there");
            return Task.FromResult(found.Count > 0 ? ExitCode.Done : ExitCode.Failed);
        });
        return show.WithExample("quarters repo show core zlib");
    }

    private static Command CreateVerify()
    {
        var place = new RepositoryPlace(isOptional: true);
        var verify = place.AddTo(new Command(
            "verify", "Read every package again and compare it with the database; without a repository, the farm's."));
        verify.SetAction((parsed, cancellationToken) =>
        {
            var output = parsed.InvocationConfiguration.Output;
            var isGood = true;
            foreach (var (label, packages, problems) in place.Check(parsed, cancellationToken))
            {
                foreach (var problem in problems) output.WriteLine(Terminal.Printable($"{label}: {problem}"));
                if (problems.Count == 0)
                    output.WriteLine($"{label}: " + (packages is null
                        ? "nothing is published yet"
                        : $"{packages} packages, all right"));
                isGood &= problems.Count == 0;
            }

            return Task.FromResult(isGood ? ExitCode.Done : ExitCode.Failed);
        });
        return verify.WithExample("quarters repo verify && echo 'every bit is there'");
    }

    private static Command CreateAdopt()
    {
        var directory = new Argument<string>("DIR") { Description = "a directory with NAME.db and its packages" };
        var into = new Option<string>("--into")
        {
            Description = "the farm's repository that they enter",
            HelpName = "REPO",
            Required = true,
        };
        var adopt = new Command(
            "adopt",
            "Take the packages of a repository made by repo-add into the farm, without their signatures (.sig).")
        {
            directory, into,
        };
        var post = new SignalPost().AddTo(adopt, fromAfar: false);
        adopt.SetAction((parsed, cancellationToken) => post.SendAsync(
            parsed,
            (id, time) => new AdoptRepository
            {
                Id = id,
                Time = time,
                Path = Path.GetFullPath(parsed.GetRequiredValue(directory)),
                Into = parsed.GetRequiredValue(into),
            },
            cancellationToken));
        return adopt.WithExample("quarters repo adopt /srv/repo --into core --wait 600");
    }

    private static Command CreateHistory()
    {
        var json = new Option<bool>("--json") { Description = "print the document instead" };
        var history = new Command(
            "history", "Print the moves, merges, removals and adoptions that can be taken back, newest first.")
        {
            json,
        };
        var node = new NodeOptions().AddTo(history);
        history.SetAction(async (parsed, cancellationToken) =>
        {
            using var link = NodeLink.Open(parsed, node);
            var document = link.Parse(
                await link.ReadAsync(ChangesPath, cancellationToken), QuartersJson.Default.ChangesDocument,
                Schemas.Changes, found => found.Schema);
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                await output.WriteLineAsync(JsonSerializer.Serialize(document, QuartersJson.Default.ChangesDocument));
                return ExitCode.Done;
            }

            foreach (var change in document.Changes)
                await output.WriteLineAsync(Terminal.Printable(
                    $"{change.Revision,8}  {change.Time:yyyy-MM-dd HH:mm} UTC  {change.Why}"));
            if (document.Changes.IsEmpty) await output.WriteLineAsync("Nothing was moved, merged, removed or adopted.");
            return ExitCode.Done;
        });
        return history.WithExample("""
            quarters repo history
            quarters move --undo 4711 --dry-run              what taking one of them back would change
            """);
    }

    private static void Print(TextWriter output, string label, SyncEntry entry)
    {
        Line("Repository", label);
        Line("Name", entry.Name);
        Line("Base", entry.Base);
        Line("Version", entry.Version.ToString());
        Line("Description", entry.Description);
        Line("Architecture", entry.Architecture);
        Line("URL", entry.Url);
        Line("Licenses", string.Join("  ", entry.Licenses));
        Line("Groups", string.Join("  ", entry.Groups));
        Line("Provides", string.Join("  ", entry.Provides));
        Line("Depends On", string.Join("  ", entry.Depends));
        Line("Optional Deps", string.Join("; ", entry.OptDepends));
        Line("Make Deps", string.Join("  ", entry.MakeDepends));
        Line("Check Deps", string.Join("  ", entry.CheckDepends));
        Line("Conflicts With", string.Join("  ", entry.Conflicts));
        Line("Replaces", string.Join("  ", entry.Replaces));
        Line("File", entry.FileName);
        Line("Download Size", $"{entry.CompressedSize} bytes");
        Line("Installed Size", $"{entry.InstalledSize} bytes");
        Line("Packager", entry.Packager);
        Line("Build Date", $"{entry.BuildDate:yyyy-MM-dd HH:mm:ss} UTC");
        Line("SHA-256 Sum", entry.Sha256 ?? "");
        output.WriteLine();

        void Line(string key, string value)
        {
            if (value.Length > 0) output.WriteLine($"{key,-15} : {Terminal.Printable(value)}");
        }
    }
}
