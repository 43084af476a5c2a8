using System.CommandLine;
using System.Diagnostics.CodeAnalysis;
using Quarters.Configuring;
using Quarters.Master;
using Quarters.Master.Repositories;
using Quarters.Reading;

namespace Quarters.Commands;

/// <summary>The argument that names repositories: a directory, a database, or one of the farm's on this
/// machine.</summary>
internal sealed class RepositoryPlace
{
    private readonly Option<string?> _config = NodeOptions.NewConfig();
    private readonly Argument<string?> _argument;

    internal RepositoryPlace(bool isOptional) => _argument = new Argument<string?>("REPOSITORY")
    {
        Description = "NAME or NAME/ARCH of the farm on this machine; or the path of a directory with a database",
        Arity = isOptional ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
    };

    internal Command AddTo(Command command)
    {
        command.Add(_argument);
        command.Add(_config);
        return command;
    }

    /// <summary>The repositories that are meant, of the farm those that are published.</summary>
    /// <exception cref="MistakeException">There are none.</exception>
    internal List<FoundRepository> Find(ParseResult parsed)
    {
        var asked = parsed.GetValue(_argument);
        if (IsPath(asked)) return [new FoundRepository(RepositoryFolder.Find(asked), asked, IsAsked: true)];
        var farm = LoadFarm(parsed);
        var folders = new MasterFolders(farm.MasterDirectory);
        var found = new List<FoundRepository>();
        foreach (var (name, architecture) in Configured(farm).Where(one => IsMeant(one, asked)))
        {
            var repository = RepositoryFolder.At(folders.Repository(name, architecture), name);
            if (File.Exists(repository.Database))
                found.Add(new FoundRepository(repository, Label((name, architecture)), asked is not null));
        }

        return found.Count > 0 || asked is null ? found : throw IsNone(asked);
    }

    /// <summary>Reads every package of the repositories that are meant: of the farm all that the configuration names or
    /// the master's journal knows.</summary>
    /// <exception cref="MistakeException">There are none.</exception>
    internal IEnumerable<CheckedRepository> Check(ParseResult parsed, CancellationToken cancellationToken)
    {
        var asked = parsed.GetValue(_argument);
        if (IsPath(asked))
        {
            var (entries, problems) = RepositoryCheck.Read(
                RepositoryFolder.Find(asked), new HashSet<string>(), cancellationToken);
            return [new CheckedRepository(asked, entries.Count, problems)];
        }

        var farm = LoadFarm(parsed);
        var own = new OwnRepositories(new MasterFolders(farm.MasterDirectory), TimeProvider.System);
        var meant = Configured(farm).Union(own.All()).Where(one => IsMeant(one, asked)).ToList();
        if (meant.Count == 0) throw IsNone(asked!);
        return meant.Select(one =>
        {
            var (packages, problems) = own.Check(one.Name, one.Architecture, cancellationToken);
            return new CheckedRepository(Label(one), packages, problems);
        });
    }

    private static bool IsPath([NotNullWhen(true)] string? asked) =>
        asked is not null && (Directory.Exists(asked) || File.Exists(asked));

    private static IEnumerable<(string Name, string Architecture)> Configured(Farm farm) =>
        from repository in farm.File.Repository
        from architecture in farm.File.Architectures
        select (repository.Name, architecture);

    private static string Label((string Name, string Architecture) one) => $"{one.Name}/{one.Architecture}";

    private static bool IsMeant((string Name, string Architecture) one, string? asked) =>
        asked is null || asked == one.Name || asked == Label(one);

    private static MistakeException IsNone(string asked) => new(
        $"\"{asked}\" is neither a directory with a database nor a repository that this farm has published");

    private Farm LoadFarm(ParseResult parsed) => Farm.Load(Farm.Find(parsed.GetValue(_config)));
}

/// <summary>A repository to look into.</summary>
/// <param name="Repository">Where it is.</param>
/// <param name="Label">How it was named.</param>
/// <param name="IsAsked">Whether somebody named it.</param>
internal sealed record FoundRepository(RepositoryFolder Repository, string Label, bool IsAsked);

/// <summary>A repository that was looked into.</summary>
/// <param name="Label">How it is named.</param>
/// <param name="Packages">How many packages its database has; null where nothing was ever published.</param>
/// <param name="Problems">What is wrong with it, a sentence each.</param>
internal sealed record CheckedRepository(string Label, int? Packages, IReadOnlyList<string> Problems);
