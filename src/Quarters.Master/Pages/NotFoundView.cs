using System.Collections.Immutable;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master.Pages;

/// <summary>There is nothing at an address, and what may be known of it all the same.</summary>
internal sealed record NotFoundView : View
{
    private NotFoundView(PageInput input) : base(input, "Not found")
    {
    }

    /// <summary>Sentences that may help.</summary>
    public required ImmutableArray<string> Hints { get; init; }

    /// <summary>What is known of a path that leads nowhere: who wants a package of that name, or builds it.</summary>
    public static NotFoundView Of(string[] path, PageInput input) => new(input)
    {
        Hints = path switch
        {
            ["packages", var name] when JobId.IsValid(name) => Why.Of(input.State, name),
            ["jobs", _] => ["There is no job of this id. Jobs are named PKGBASE-VERSION-ARCH-HASH."],
            ["repositories", ..] => ["This master publishes no repository of this name for this architecture."],
            _ => [],
        },
    };
}
