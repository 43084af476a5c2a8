using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Core.Tests;

/// <summary>A shared library goes away while packages are linked with it.</summary>
public class LostLibraryTests
{
    private readonly Farm _farm = new();

    [Fact]
    public void Who_is_linked_with_a_library_that_went_away_is_to_be_built_again()
    {
        Linked();
        Assert.Empty(Projection.State(_farm.State, "m", [], [], NoTroubles).Advice);
        Build("onig 2-1", ["libonig.so=6-64"]);

        Assert.Equal(
            ["onig has libonig.so=5-64 no more since 1-1, and jq, php are linked with it; build them again: "
                + "quarters rebuild onig-soname --soname libonig.so=5-64"],
            Projection.State(_farm.State, "m", [], [], NoTroubles).Advice);
        Assert.Contains("jq is linked with libonig.so=5-64, which nobody has any more since onig 1-1.",
            Why.Of(_farm.State, "jq"));

        // What is built against the new one needs the old no longer.
        Build("php 2-1", [], "libonig.so=6-64");
        Assert.Equal(["jq"], Assert.Single(_farm.State.Lost.Values).Dependents);
        var wish = new BeginRebuild { Id = "s", Time = default, Name = "r", Sonames = ["libonig.so=5-64"] };
        foreach (var happened in Signals.Settle(_farm.State, wish)) _farm.Apply(happened);
        Assert.Equal(["jq"], _farm.State.Rebuilds["r"].Members.Keys);
        Assert.EndsWith("the rebuild r is of them",
            Assert.Single(Projection.State(_farm.State, "m", [], [], NoTroubles).Advice), StringComparison.Ordinal);
        _farm.Apply(new RebuildEnded("r", false));
        Build("jq 2-1", [], "libonig.so=6-64");
        Assert.Empty(_farm.State.Lost);
    }

    [Fact]
    public void A_library_that_another_package_has_now_is_not_lost_and_one_that_comes_back_neither()
    {
        Linked();
        Build("onig-compat 1-1", ["libonig.so=5-64"]);
        Build("onig 2-1", ["libonig.so=6-64"]);
        Assert.Empty(_farm.State.Lost);

        Replace("onig-compat", null);
        Assert.Equal(["jq", "php"], Assert.Single(_farm.State.Lost.Values).Dependents);
        Assert.Equal("onig-compat", _farm.State.Lost.Values.Single().Pkgbase);
        Build("onig 3-1", ["libonig.so=6-64", "libonig.so=5-64"]);
        Assert.Empty(_farm.State.Lost);
    }

    [Fact]
    public void What_was_built_before_the_library_went_away_and_arrives_later_counts_too()
    {
        Linked();
        _farm.Commit("mlr 1-1");
        _farm.Begin("mlr");
        Build("onig 2-1", ["libonig.so=6-64"]);
        Accept("mlr 1-1", [], "libonig.so=5-64");
        Assert.Equal(["jq", "mlr", "php"], Assert.Single(_farm.State.Lost.Values).Dependents);
    }

    [Fact]
    public void All_of_a_rebuild_may_change_at_once()
    {
        Linked();
        _farm.Apply(new RepositoriesChanged(
            [Change("onig", "2-1", ["libonig.so=6-64"]), Change("jq", "2-1", [], "libonig.so=6-64"),
                Change("php", "2-1", [], "libonig.so=6-64")], "merged"));
        Assert.Empty(_farm.State.Lost);
    }

    [Fact]
    public void A_repository_that_comes_first_hides_what_the_next_one_has()
    {
        _farm.Apply(new Configured(Farm.Settings() with { Repositories = ["testing", "core"] }));
        Linked();
        _farm.Apply(new RepositoriesChanged(
            [Change("onig", "2-1", ["libonig.so=6-64"]) with { Repository = "testing", Before = null }], "moved"));
        Assert.Equal(["jq", "php"], Assert.Single(_farm.State.Lost.Values).Dependents);
        var there = _farm.State.Repositories["testing/x86_64"].Packages["onig"];
        _farm.Apply(new RepositoriesChanged(
            [new Replacement("testing", "x86_64", "onig", there, null)], "taken back"));
        Assert.Empty(_farm.State.Lost);
    }

    [Fact]
    public void Where_the_configuration_says_so_the_rebuild_begins_once_and_by_itself()
    {
        Linked();
        Build("onig 2-1", ["libonig.so=6-64"]);
        Assert.Empty(LostLibraries.Due(_farm.State));
        _farm.Apply(new Configured(Farm.Settings() with { StartsRebuilds = true }));
        var begun = Assert.IsType<RebuildBegun>(Assert.Single(LostLibraries.Due(_farm.State)));
        Assert.Equal(("onig-soname", "jq php"), (begun.Name, string.Join(' ', begun.Pkgbases)));
        _farm.Apply(begun);
        Assert.Empty(LostLibraries.Due(_farm.State));
        // Who drops it does not want it.
        _farm.Apply(new RebuildEnded("onig-soname", false));
        Assert.Empty(LostLibraries.Due(_farm.State));
    }

    private static Dictionary<string, string> NoTroubles => [];

    /// <summary>jq and php are linked with onig.</summary>
    private void Linked()
    {
        Build("onig 1-1", ["libonig.so=5-64"]);
        Build("jq 1-1", [], "libonig.so=5-64", "libc.so=6-64");
        Build("php 1-1", [], "libonig.so=5-64");
        Build("zlib 1-1", ["libz.so=1-64"]);
    }

    private void Build(string package, string[] sonames, params string[] needed)
    {
        _farm.Commit(package);
        _farm.Begin(package.Split(' ')[0]);
        Accept(package, sonames, needed);
    }

    private void Accept(string package, string[] sonames, params string[] needed)
    {
        var (name, version) = (package.Split(' ')[0], package.Split(' ')[1]);
        _farm.Apply(new ResultAccepted(
            "anna", _farm.Result(_farm.Job(name), ResultOutcome.Built), [Package(name, version, sonames, needed)]));
    }

    private void Replace(string name, RepositoryPackage? after) => _farm.Apply(new RepositoriesChanged(
        [new Replacement("core", "x86_64", name, Held(name), after)], "removed"));

    private Replacement Change(string name, string version, string[] sonames, params string[] needed) =>
        new("core", "x86_64", name, Held(name), Package(name, version, sonames, needed));

    private RepositoryPackage Held(string name) => _farm.State.Repositories["core/x86_64"].Packages[name];

    private static RepositoryPackage Package(string name, string version, string[] sonames, string[] needed) => new()
    {
        Name = name,
        Pkgbase = name,
        Version = version,
        Architecture = "x86_64",
        FileName = $"{name}-{version}-x86_64.pkg.tar.zst",
        Sha256 = new string('a', 64),
        Bytes = 10,
        Sonames = [.. sonames],
        NeededSonames = [.. needed],
    };
}
