using System.CommandLine;
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

    /// <summary>The repositories that are meant.</summary>
    /// <exception cref="MistakeException">There are none.</exception>
    internal List<FoundRepository> Find(ParseResult parsed)
    {
        var asked = parsed.GetValue(_argument);
        if (asked is not null && (Directory.Exists(asked) || File.Exists(asked)))
            return [new FoundRepository(RepositoryFolder.Find(asked), asked, IsAsked: true)];
        var farm = Farm.Load(Farm.Find(parsed.GetValue(_config)));
        var folders = new MasterFolders(farm.MasterDirectory);
        var found = new List<FoundRepository>();
        foreach (var name in farm.File.Repository.Select(r => r.Name))
        {
            foreach (var architecture in farm.File.Architectures)
            {
                var label = $"{name}/{architecture}";
                var repository = RepositoryFolder.At(folders.Repository(name, architecture), name);
                if ((asked is null || asked == name || asked == label) && File.Exists(repository.Database))
                    found.Add(new FoundRepository(
                        repository, label, asked is not null, () => KeptFiles.Of(folders, name, architecture)));
            }
        }

        return found.Count > 0 || asked is null
            ? found
            : throw new MistakeException(
                $"\"{asked}\" is neither a directory with a database nor a repository that this farm has published");
    }
}

/// <summary>A repository to look into.</summary>
/// <param name="Repository">Where it is.</param>
/// <param name="Label">How it was named.</param>
/// <param name="IsAsked">Whether somebody named it.</param>
/// <param name="Kept">The package files that may be there without an entry; null for none.</param>
internal sealed record FoundRepository(
    RepositoryFolder Repository, string Label, bool IsAsked, Func<IReadOnlySet<string>>? Kept = null)
{
    /// <summary>How many packages it has, and what is wrong with it.</summary>
    internal (int Packages, IReadOnlyList<string> Problems) Check(CancellationToken cancellationToken)
    {
        var (entries, problems) = RepositoryCheck.Read(
            Repository, Kept?.Invoke() ?? new HashSet<string>(), cancellationToken);
        return (entries.Count, problems);
    }
}
