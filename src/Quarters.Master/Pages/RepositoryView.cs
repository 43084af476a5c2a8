using System.Collections.Immutable;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master.Pages;

/// <summary>The packages that one of our repositories holds.</summary>
internal sealed record RepositoryView : View
{
    private RepositoryView(PageInput input, RepositoryState repository)
        : base(input, $"{repository.Name} for {repository.Architecture}")
    {
        Section = "repositories";
        Feeds = [FeedLink.OfRepository(repository.Name)];
    }

    /// <summary>The repository.</summary>
    public required RepositoryState Repository { get; init; }

    /// <summary>What was asked for, and where this page stands.</summary>
    public required Paging Paging { get; init; }

    /// <summary>The packages of this page.</summary>
    public required ImmutableArray<RepositoryPackage> Rows { get; init; }

    /// <summary>The repository as this page shows it; null where none of ours is called so.</summary>
    public static RepositoryView? Of(string name, string architecture, PageQuery query, PageInput input)
    {
        var settings = input.State.Settings;
        if (settings is null || !settings.Repositories.Contains(name) || !settings.Architectures.Contains(architecture))
            return null;

        var repository = input.State.Repositories.GetValueOrDefault(MasterState.RepositoryKey(name, architecture))
            ?? new RepositoryState { Name = name, Architecture = architecture };
        var found = repository.Packages.Values.Where(package => query.Matches(package.Name)).ToList();
        var paging = new Paging(Links.Repository(name, architecture), query, found.Count);
        return new RepositoryView(input, repository)
        {
            Repository = repository,
            Paging = paging,
            Rows = [.. paging.Of(found)],
        };
    }
}
