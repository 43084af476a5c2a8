using System.CommandLine;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Reading;
using Quarters.Running;

namespace Quarters.Commands;

/// <summary><c>quarters rebuild</c>, <c>merge</c> and <c>drop</c>: named mass rebuilds.</summary>
internal static class RebuildCommand
{
    private const int MaxListed = 100_000;

    internal static Command Create()
    {
        var name = new Argument<string>("NAME") { Description = "the rebuild's name, and that of its side repository" };
        var names = new Argument<string[]>("PKG")
        {
            Description = "package bases or packages to rebuild",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var dependentsOf = new Option<string[]>("--dependents-of")
        {
            Description = "all that need this package; may be given again",
            HelpName = "PKG",
        };
        var recursive = new Option<bool>("--recursive") { Description = "and all that need those, and so on" };
        var soname = new Option<string[]>("--soname")
        {
            Description = "all that are linked with this library; may be given again",
            HelpName = "libfoo.so=2-64",
        };
        var repo = new Option<string?>("--repo") { Description = "all that a repository holds", HelpName = "REPO" };
        var list = new Option<FileInfo?>("--list")
        {
            Description = "all that a file names, one a line; - reads standard input",
            HelpName = "FILE",
        };
        var all = new Option<bool>("--all") { Description = "everything" };
        var bump = new Option<string>("--bump")
        {
            Description = "how pkgrel is raised: fraction (N to N.1), or integer (N to N+1), only where maintainers "
                + "expect it: a change of theirs with that same pkgrel is not newer, and never built",
            DefaultValueFactory = _ => "fraction",
        };
        bump.AcceptOnlyFromAmong("fraction", "integer");
        var settle = new Option<bool>("--settle")
        {
            Description = "build once more in the end what a cut cycle had built against something older",
        };
        var dry = new Option<bool>("--dry-run") { Description = "only tell what would be built, in which order" };
        var graph = new Option<FileInfo?>("--graph")
        {
            Description = "with --dry-run: plan over the packages of this file instead of asking a master",
            HelpName = "FILE",
        };
        var command = new Command("rebuild", "Rebuild many packages in a side repository, to be merged at once.")
        {
            name, names, dependentsOf, recursive, soname, repo, list, all, bump, settle, dry, graph,
        };
        var post = new SignalPost().AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var begin = new BeginRebuild
            {
                Id = "",
                Time = default,
                Name = parsed.GetRequiredValue(name),
                Names = [.. (parsed.GetValue(names) ?? []).Concat(await ListedAsync(parsed.GetValue(list)))],
                DependentsOf = [.. parsed.GetValue(dependentsOf) ?? []],
                Recursive = parsed.GetValue(recursive),
                Sonames = [.. parsed.GetValue(soname) ?? []],
                Repository = parsed.GetValue(repo),
                All = parsed.GetValue(all),
                Bump = Enum.Parse<BumpKind>(parsed.GetRequiredValue(bump), ignoreCase: true),
                Settle = parsed.GetValue(settle),
                DryRun = parsed.GetValue(dry),
            };
            if (parsed.GetValue(graph) is { } file)
            {
                if (!begin.DryRun)
                    throw new MistakeException("--graph only plans: it needs --dry-run");
                Plan(file, begin, parsed.InvocationConfiguration.Output);
                return ExitCode.Done;
            }

            if (begin is
                {
                    Names.IsEmpty: true, DependentsOf.IsEmpty: true, Sonames.IsEmpty: true,
                    Repository: null, All: false,
                })
                throw new MistakeException(
                    "rebuild needs PKG, --dependents-of, --soname, --repo, --list or --all: what to rebuild");
            return await post.SendAsync(
                parsed, (id, time) => begin with { Id = id, Time = time }, cancellationToken);
        });
        return command.WithExample("""
            quarters rebuild openssl-3 openssl --dependents-of openssl --dry-run
            quarters rebuild icu --soname libicuuc.so=74-64
            quarters rebuild all --all --dry-run --graph packages.jsonl.zst
            """);
    }

    internal static Command CreateMerge()
    {
        var name = NewName();
        var builtOnly = new Option<bool>("--built-only")
        {
            Description = "leave out what is not built, where that breaks nothing",
        };
        var dry = new Option<bool>("--dry-run") { Description = "only tell what would be done" };
        var command = new Command("merge", "Publish a rebuild, all at once.") { name, builtOnly, dry };
        var post = new SignalPost().AddTo(command);
        command.SetAction((parsed, cancellationToken) => post.SendAsync(
            parsed,
            (id, time) => new MergeRebuild
            {
                Id = id,
                Time = time,
                Name = parsed.GetRequiredValue(name),
                BuiltOnly = parsed.GetValue(builtOnly),
                DryRun = parsed.GetValue(dry),
            },
            cancellationToken));
        return command.WithExample("quarters merge openssl-3");
    }

    internal static Command CreateDrop()
    {
        var name = NewName();
        var command = new Command("drop", "Forget a rebuild and its side repository.") { name };
        var post = new SignalPost().AddTo(command);
        command.SetAction((parsed, cancellationToken) => post.SendAsync(
            parsed, (id, time) => new DropRebuild { Id = id, Time = time, Name = parsed.GetRequiredValue(name) },
            cancellationToken));
        return command.WithExample("quarters drop openssl-3");
    }

    private static Argument<string> NewName() => new("NAME") { Description = "the name of a rebuild" };

    private static async Task<IReadOnlyList<string>> ListedAsync(FileInfo? file)
    {
        if (file is null) return [];
        var lines = file.Name == "-"
            ? (await Console.In.ReadToEndAsync()).Split('\n')
            : await File.ReadAllLinesAsync(file.FullName);
        var names = lines.Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#').ToList();
        return names.Count <= MaxListed
            ? names
            : throw new MistakeException($"{file} names more than {MaxListed} packages; --all is everything");
    }

    /// <summary>A plan over a file of packages, as <c>simulate</c> reads it.</summary>
    private static void Plan(FileInfo file, BeginRebuild begin, TextWriter output)
    {
        if (!begin.Sonames.IsEmpty || begin.Repository is not null)
            throw new MistakeException("a graph file knows neither sonames nor repositories");
        using var stream = file.OpenRead();
        var packages = GraphFile.Read(stream, file.ToString());
        var graph = GraphFile.GraphOf(packages);
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var node = 0; node < packages.Length; node++)
        {
            foreach (var name in packages[node].Pkgnames) index.TryAdd(name, node);
        }

        for (var node = 0; node < packages.Length; node++) index[packages[node].Pkgbase] = node;
        int Find(string name) => index.TryGetValue(name, out var node)
            ? node
            : throw new MistakeException($"{file} has no package {name}");
        var chosen = begin.Names.Select(Find).ToHashSet();
        if (begin.All) chosen.UnionWith(Enumerable.Range(0, packages.Length));
        chosen.UnionWith(RebuildPlan.DependentsOf(graph, begin.DependentsOf.Select(Find), begin.Recursive));
        var plan = RebuildPlan.Of(graph, chosen);
        var versions = plan.Builds.Select(build => packages[index[build.Pkgbase]]).ToDictionary(
            package => package.Pkgbase,
            package => Release.Next(package.Version, null, begin.Bump) is { } release
                ? $"{package.Version} -> {Release.With(package.Version, release)}"
                : package.Version,
            StringComparer.Ordinal);
        var settling = begin.Settle ? RebuildText.Settling(plan) : [];
        foreach (var line in RebuildText.Lines(plan, versions, 1, 1).Concat(settling))
            output.WriteLine(Terminal.Printable(line));
    }
}
