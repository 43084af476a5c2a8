using System.Collections.Immutable;
using CsCheck;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Core.Tests;

/// <summary>Packages that move between repositories, and what stands against it.</summary>
public class MoveTests
{
    private int _signals;

    [Fact]
    public void A_move_takes_all_of_a_package_base_for_all_architectures_and_is_taken_back_as_one_step()
    {
        var farm = NewFarm("x86_64", "aarch64");
        Put(farm, "testing", "lib 2-1", "lib-docs 2-1 =lib", "other 1-1");
        Put(farm, "stable", "lib 1-1");
        var before = Names(farm, "stable");
        var outcome = Send(farm, Move("lib-docs"));
        Assert.Null(outcome.Refusal);
        Assert.Equal(["lib 2-1", "lib-docs 2-1"], Names(farm, "stable"));
        Assert.Equal(["lib 2-1", "lib-docs 2-1"], Names(farm, "stable", "aarch64"));
        Assert.Equal(["other 1-1"], Names(farm, "testing"));

        var revision = farm.State.Changes[^1].Revision;
        Assert.Contains(outcome.Details, line => line.Contains($"revision {revision} takes it back",
            StringComparison.Ordinal));
        Assert.Null(Send(farm, new UndoChange { Id = Id(), Time = default, Revision = revision }).Refusal);
        Assert.Equal(
            [$"taken back: lib moved from testing to stable (revision {revision})", "lib moved from testing to stable"],
            Moves.Document(farm.State).Changes.Take(2).Select(change => change.Why));
        Assert.Equal(before, Names(farm, "stable"));
        Assert.Equal(["lib 2-1", "lib-docs 2-1", "other 1-1"], Names(farm, "testing"));
        Assert.Contains("something changed since", Send(
            farm, new UndoChange { Id = Id(), Time = default, Revision = revision }).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_move_is_not_taken_back_while_something_needs_what_it_brought()
    {
        var farm = NewFarm();
        Put(farm, "stable", "libfoo 1-1");
        Put(farm, "testing", "libfoo 2-1", "bar 1-1 libfoo>=2");
        Assert.Null(Send(farm, Move("libfoo")).Refusal);
        var first = new UndoChange { Id = Id(), Time = default, Revision = farm.State.Changes[^1].Revision };
        Assert.Null(Send(farm, Move("bar")).Refusal);
        var second = new UndoChange { Id = Id(), Time = default, Revision = farm.State.Changes[^1].Revision };
        var refused = Send(farm, first);
        Assert.Equal("it would break 1 dependencies", refused.Refusal);
        Assert.Equal(
            ["bar 1-1 in stable/x86_64 needs libfoo>=2, which nobody there would provide"], refused.Details);
        Assert.Equal(["bar 1-1", "libfoo 2-1"], Names(farm, "stable"));

        Assert.Null(Send(farm, second).Refusal);
        Assert.Null(Send(farm, first with { Id = Id() }).Refusal);
        Assert.Equal(["libfoo 1-1"], Names(farm, "stable"));
        Assert.Equal(["bar 1-1", "libfoo 2-1"], Names(farm, "testing"));
    }

    [Fact]
    public void An_adoption_says_what_takes_it_back_and_is_taken_back_where_nothing_needs_it()
    {
        var farm = NewFarm();
        var adopt = new AdoptRepository { Id = Id(), Time = default, Path = "/srv/repo", Into = "stable" };
        foreach (var happened in Adoptions.Settle(
            farm.State, adopt, [Package("zlib 1-1", "x86_64"), Package("lua 5-1", "x86_64")], []))
            farm.Apply(happened);
        var revision = farm.State.Changes[^1].Revision;
        Assert.Equal(
            [$"2 packages are in stable now; revision {revision} takes it back"],
            farm.State.Signals[adopt.Id].Details);

        var undo = new UndoChange { Id = Id(), Time = default, Revision = revision };
        Put(farm, "extra", "vim 9-1 lua");
        Assert.Equal(
            ["vim 9-1 in extra/x86_64 needs lua, which nobody there would provide"], Send(farm, undo).Details);
        Put(farm, "extra", "vim 9-2");
        Assert.Null(Send(farm, undo with { Id = Id() }).Refusal);
        Assert.Empty(Names(farm, "stable"));
    }

    [Fact]
    public void A_move_that_would_break_something_is_refused_with_all_that_it_would_break()
    {
        var farm = NewFarm();
        Put(farm, "stable", "openssl 1-1 +libssl.so=1", "curl 1-1 libssl.so=1", "wget 1-1 libssl.so=1");
        Put(farm, "testing", "openssl 3-1 +libssl.so=3", "curl 2-1 libssl.so=3", "wget 2-1 libssl.so=3 libidn2");
        var refused = Send(farm, Move("openssl"));
        Assert.Contains("2 dependencies", refused.Refusal, StringComparison.Ordinal);
        Assert.Equal(2, refused.Details.Length);
        Assert.Contains(refused.Details, line => line.StartsWith("curl 1-1 in stable", StringComparison.Ordinal));
        Assert.Contains("would break", Send(farm, Move("curl")).Refusal, StringComparison.Ordinal);
        Assert.Contains("libidn2", Assert.Single(
            Send(farm, Move("openssl", "curl", "wget")).Details), StringComparison.Ordinal);
        Assert.Equal(["curl 1-1", "openssl 1-1", "wget 1-1"], Names(farm, "stable"));

        Put(farm, "stable", "libidn2 1-1");
        var dry = Send(farm, Move("openssl", "curl", "wget") with { DryRun = true });
        Assert.Null(dry.Refusal);
        Assert.Contains(dry.Details, line => line.Contains("openssl 1-1 -> 3-1", StringComparison.Ordinal));
        Assert.Equal(4, Names(farm, "testing").Concat(Names(farm, "stable")).Count(name => name.EndsWith(
            " 1-1", StringComparison.Ordinal)));
        Assert.Null(Send(farm, Move("openssl", "curl", "wget")).Refusal);
        Assert.Equal(["curl 2-1", "libidn2 1-1", "openssl 3-1", "wget 2-1"], Names(farm, "stable"));
    }

    [Fact]
    public void A_library_does_not_move_without_those_that_are_linked_with_it_whatever_they_say_they_need()
    {
        var farm = NewFarm();
        Put(farm, "stable", "oniguruma 1-1 ~libonig.so=5-64", "jq 1-1 oniguruma ?libonig.so=5-64 ?libc.so=6-64");
        Put(farm, "testing", "oniguruma 2-1 ~libonig.so=6-64", "jq 1-2 oniguruma ?libonig.so=6-64 ?libc.so=6-64");
        var refused = Send(farm, Move("oniguruma"));
        Assert.Equal("it would break 1 dependencies", refused.Refusal);
        Assert.Equal(
            ["jq 1-1 in stable/x86_64 needs libonig.so=5-64, which nobody there would provide"], refused.Details);
        // Nobody of ours ever had libc.so=6-64, so that it is not asked for.
        Assert.Null(Send(farm, Move("oniguruma", "jq")).Refusal);
        Assert.Equal(["jq 1-2", "oniguruma 2-1"], Names(farm, "stable"));
        var revision = farm.State.Changes[^1].Revision;

        Put(farm, "extra", "php 1-1 oniguruma ?libonig.so=6-64");
        var undo = new UndoChange { Id = Id(), Time = default, Revision = revision };
        Assert.StartsWith("php 1-1 in extra/x86_64 needs libonig.so=6-64", Assert.Single(Send(farm, undo).Details),
            StringComparison.Ordinal);
        Put(farm, "extra", "php 1-2");
        Assert.Null(Send(farm, undo with { Id = Id() }).Refusal);
        Assert.Equal(["jq 1-1", "oniguruma 1-1"], Names(farm, "stable"));
    }

    [Fact]
    public void The_largest_part_leaves_a_library_behind_that_others_are_linked_with()
    {
        var farm = NewFarm();
        Put(farm, "stable", "onig 1-1 ~libonig.so=5-64", "jq 1-1 ?libonig.so=5-64", "z 1-1 ~libz.so=1-64",
            "png 1-1 ?libz.so=1-64");
        Put(farm, "testing", "onig 2-1 ~libonig.so=6-64", "z 2-1 ~libz.so=2-64", "png 1-2 ?libz.so=2-64");
        var outcome = Send(farm, Move() with { Closure = true });
        Assert.Null(outcome.Refusal);
        Assert.Contains(
            "onig stays: jq in stable needs libonig.so=5-64, which would be gone", outcome.Details);
        Assert.Equal(["jq 1-1", "onig 1-1", "png 1-2", "z 2-1"], Names(farm, "stable"));
    }

    [Fact]
    public void A_library_is_removed_only_where_nobody_is_linked_with_it_or_others_have_its_package()
    {
        var farm = NewFarm();
        Put(farm, "stable", "onig 1-1 ~libonig.so=5-64", "glibc 3-1 ~libc.so=6-64",
            "jq 1-1 ?libonig.so=5-64 ?libc.so=6-64");
        var removal = new RemovePackages { Id = Id(), Time = default, Names = ["onig"], From = "stable" };
        Assert.StartsWith("jq 1-1 in stable/x86_64 needs libonig.so=5-64", Assert.Single(Send(farm, removal).Details),
            StringComparison.Ordinal);
        Assert.Null(Send(farm, removal with { Id = Id(), Names = ["glibc"] }).Refusal);
        Assert.Null(Send(farm, removal with { Id = Id(), Names = ["onig", "jq"] }).Refusal);
    }

    [Fact]
    public void Who_builds_on_a_repository_is_broken_with_it_and_who_is_left_in_the_source_too()
    {
        var farm = NewFarm();
        Put(farm, "extra", "app 1-1 liba=1");
        Put(farm, "stable", "liba 1-1");
        Put(farm, "testing", "liba 2-1", "beta 1-1 liba=2-1");
        Assert.Contains(Send(farm, Move("liba")).Details, line => line.StartsWith(
            "app 1-1 in extra/x86_64", StringComparison.Ordinal));
        // What is left in testing sees what stable holds.
        Put(farm, "extra", "app 2-1 liba");
        Assert.Null(Send(farm, Move("liba")).Refusal);

        var removal = new RemovePackages { Id = Id(), Time = default, Names = ["liba"], From = "stable" };
        Assert.Equal(
            ["app", "beta"], Send(farm, removal).Details.Select(line => line.Split(' ')[0]).Distinct().Order());
    }

    [Fact]
    public void The_largest_part_moves_that_breaks_nothing_and_who_stays_is_told_why()
    {
        var farm = NewFarm();
        Put(farm, "stable", "openssl 1-1 +libssl.so=1", "curl 1-1 libssl.so=1");
        Put(farm, "testing", "openssl 3-1 +libssl.so=3", "wget 1-1 libssl.so=3", "zlib 1-1", "pigz 1-1 zlib",
            "held 1-1");
        farm.Commit("held 1-1");
        Send(farm, new HoldPackage { Id = Id(), Time = default, Name = "held" });
        var outcome = Send(farm, Move() with { Closure = true });
        Assert.Null(outcome.Refusal);
        Assert.Equal(["curl 1-1", "openssl 1-1", "pigz 1-1", "zlib 1-1"], Names(farm, "stable"));
        Assert.Contains(outcome.Details, line => line.StartsWith("openssl stays: curl", StringComparison.Ordinal));
        Assert.Contains(outcome.Details, line => line.StartsWith("wget stays: wget needs", StringComparison.Ordinal));
        Assert.Contains("held stays: it is held", outcome.Details);
        Assert.Contains("held: held", Send(farm, Move("held")).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_any_repositories_the_closure_breaks_nothing_and_nothing_more_could_go()
    {
        var packages = Gen.Select(
            Gen.Int[0, 7].Select(n => "p" + n), Gen.Int[1, 2], Gen.Int[0, 7].Select(n => "p" + n).Array[0, 3],
            Gen.Int[0, 2]);
        Gen.Select(packages.Array[1, 8], packages.Array[0, 8]).Sample((testing, stable) =>
        {
            var farm = NewFarm();
            Put(farm, "stable", Lines(stable));
            Put(farm, "testing", Lines(testing));
            var all = Names(farm, "testing").Select(name => name.Split(' ')[0]).ToList();
            var goes = MoveClosure.Find(farm.State, all, "testing", "stable").Goes;
            Assert.Empty(Broken(farm, goes));
            Assert.Empty(Newer(farm, goes));
            foreach (var left in all.Except(goes))
            {
                var more = new SortedSet<string>(goes, StringComparer.Ordinal) { left };
                Assert.True(Broken(farm, more).Length > 0 || Newer(farm, more).Any(), $"{left} could go");
            }
        }, iter: 300);
    }

    [Fact]
    public void What_was_removed_from_the_last_repository_is_built_again_only_when_it_is_new_or_wanted()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1");
        farm.Build("zlib");
        var removal = new RemovePackages { Id = Id(), Time = default, Names = ["zlib"], From = "core" };
        Assert.Null(Send(farm, removal).Refusal);
        Assert.Empty(Names(farm, "core"));
        farm.Apply(new Configured(Farm.Settings()));
        Assert.Empty(farm.Ready);
        Assert.Contains(Why.Of(farm.State, "zlib"), line => line.Contains("taken out", StringComparison.Ordinal));
        farm.Commit("zlib 2-1");
        Assert.Equal(["zlib"], farm.Ready);
    }

    [Fact]
    public void What_moved_on_is_not_built_again()
    {
        var farm = NewFarm();
        farm.Commit("zlib 1-1");
        farm.Build("zlib");
        Assert.Null(Send(farm, Move("zlib") with { From = "core" }).Refusal);
        farm.Apply(new Configured(farm.State.Settings!));
        Assert.Empty(farm.Ready);
        farm.Commit("pigz 1-1 zlib");
        Assert.Equal(["pigz"], farm.Ready);
        farm.Commit("zlib 2-1");
        farm.Build("zlib");
        Assert.Equal(["zlib 1-1"], Names(farm, "stable"));
        Assert.Equal(["zlib 2-1"], Names(farm, "core"));
    }

    [Fact]
    public void Packages_go_on_by_themselves_after_their_time_without_a_hold()
    {
        var farm = NewFarm();
        farm.Apply(new Configured(farm.State.Settings! with { Promotions = [new("testing", "stable", 7 * 86400)] }));
        Put(farm, "testing", "zlib 1-1", "pigz 1-1");
        farm.Commit("pigz 1-1");
        farm.Pass(TimeSpan.FromDays(5));
        Send(farm, new HoldPackage { Id = Id(), Time = default, Name = "pigz" });
        Assert.Empty(Promotions.Due(farm.State, farm.Now));
        farm.Pass(TimeSpan.FromDays(3));
        farm.Apply(Assert.Single(Promotions.Due(farm.State, farm.Now)));
        Assert.Equal(["zlib 1-1"], Names(farm, "stable"));

        // Its time begins anew when it is released.
        Send(farm, new ReleasePackage { Id = Id(), Time = default, Name = "pigz" });
        Assert.Empty(Promotions.Due(farm.State, farm.Now));
        farm.Pass(TimeSpan.FromDays(8));
        farm.Apply(Assert.Single(Promotions.Due(farm.State, farm.Now)));
        Assert.Equal(["pigz 1-1", "zlib 1-1"], Names(farm, "stable"));
        Assert.Empty(Promotions.Due(farm.State, farm.Now));
    }

    [Fact]
    public void What_is_newer_in_the_target_is_replaced_by_no_move_and_goes_back_only_with_an_undo()
    {
        var farm = NewFarm();
        Put(farm, "testing", "lib 1-1", "lib-docs 1-1 =lib", "zlib 2-1");
        Put(farm, "stable", "lib 2-1", "lib-tools 2-1 =lib", "zlib 1-1");
        var refused = Send(farm, Move("lib", "zlib"));
        Assert.Equal("what stable holds is newer, or another build of the same", refused.Refusal);
        Assert.Equal(
            [
                "lib 2-1 is in stable already, and is newer than 1-1",
                "lib-tools 2-1 is in stable already, and is newer than 1-1",
            ],
            refused.Details);
        Assert.Equal("nothing of it can go", Send(farm, Move("lib") with { Closure = true }).Refusal);
        var outcome = Send(farm, Move() with { Closure = true });
        Assert.Null(outcome.Refusal);
        Assert.Contains("lib stays: lib 2-1 is in stable already, and is newer than 1-1", outcome.Details);
        Assert.Equal(["lib 2-1", "lib-tools 2-1", "zlib 2-1"], Names(farm, "stable"));

        var undo = new UndoChange { Id = Id(), Time = default, Revision = farm.State.Changes[^1].Revision };
        Assert.Null(Send(farm, undo).Refusal);
        Assert.Equal(["lib 2-1", "lib-tools 2-1", "zlib 1-1"], Names(farm, "stable"));
    }

    [Fact]
    public void What_the_target_holds_under_the_same_name_with_other_bytes_is_not_replaced()
    {
        var farm = NewFarm();
        Put(farm, "testing", "foo 1-1 +built=1", "same 1-1");
        Put(farm, "stable", "foo 1-1 +adopted=1", "same 1-1");
        var refused = Send(farm, Move("foo", "same"));
        Assert.Equal("foo 1-1 is in stable already, with other bytes", Assert.Single(refused.Details));
        Assert.Null(Send(farm, Move() with { Closure = true }).Refusal);
        Assert.Equal(["foo 1-1"], Names(farm, "testing"));
        Assert.Equal(["adopted=1"], farm.State.Repositories["stable/x86_64"].Packages["foo"].Provides);
    }

    [Fact]
    public void What_was_overtaken_does_not_go_on_by_itself_and_is_told_why()
    {
        var farm = NewFarm();
        farm.Apply(new Configured(farm.State.Settings! with { Promotions = [new("testing", "stable", 7 * 86400)] }));
        farm.Commit("ssl 1-1");
        Put(farm, "testing", "ssl 1-1", "zlib 1-1");
        farm.Commit("ssl 2-1");
        farm.Build("ssl");
        Assert.Null(Send(farm, Move("ssl") with { From = "core" }).Refusal);
        farm.Pass(TimeSpan.FromDays(8));
        farm.Apply(Assert.Single(Promotions.Due(farm.State, farm.Now)));
        Assert.Equal(["ssl 2-1", "zlib 1-1"], Names(farm, "stable"));
        Assert.Equal(["ssl 1-1"], Names(farm, "testing"));
        Assert.Empty(Promotions.Due(farm.State, farm.Now));
        Assert.Contains(
            "ssl does not go on from testing to stable: ssl 2-1 is in stable already, and is newer than 1-1.",
            Why.Of(farm.State, "ssl"));
    }

    private static ImmutableArray<(string, string, BrokenNeed)> Broken(Farm farm, SortedSet<string> goes) =>
        MoveCheck.FindBroken(farm.State, Moves.ChangeOf(farm.State, goes, "testing", "stable"), "testing");

    private static IEnumerable<(string, string)> Newer(Farm farm, SortedSet<string> goes) =>
        MoveCheck.FindNewer(Moves.ChangeOf(farm.State, goes, "testing", "stable"), "stable");

    private static string[] Lines((string Name, int Version, string[] Needs, int Provides)[] packages) =>
        [.. packages.DistinctBy(p => p.Name).Select(p =>
            $"{p.Name} {p.Version}-1 +so{p.Name}={p.Version} ~lib{p.Name}.so={p.Version}-64 "
            + string.Join(' ', p.Needs.Select((need, i) => i switch
            {
                0 => need,
                1 => $"so{need}={p.Provides}",
                _ => $"?lib{need}.so={p.Provides}-64",
            })))];

    private static Farm NewFarm(params string[] architectures)
    {
        var farm = new Farm(architectures);
        farm.Apply(new Configured(Farm.Settings(architectures) with
        {
            Repositories = ["testing", "core", "stable", "extra"],
            BuildsOn = ImmutableSortedDictionary.Create<string, ImmutableArray<string>>(StringComparer.Ordinal)
                .Add("stable", []).Add("testing", ["stable"]).Add("extra", ["stable"]).Add("core", ["stable"]),
        }));
        return farm;
    }

    /// <summary>Puts packages into a repository.</summary>
    private static void Put(Farm farm, string repository, params string[] lines) => farm.Apply(new RepositoriesChanged(
        [
            .. from architecture in farm.State.Settings!.Architectures
               from line in lines
               let package = Package(line, architecture)
               select new Replacement(repository, architecture, package.Name, null, package),
        ], "put"));

    /// <summary>A package: <c>NAME VERSION [needs…] [+provides…] [=pkgbase] [~soname…]
    /// [?needed-soname…]</c>.</summary>
    private static RepositoryPackage Package(string line, string architecture)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var rest = words[2..];
        return new RepositoryPackage
        {
            Name = words[0],
            Version = words[1],
            Pkgbase = Array.Find(rest, w => w[0] == '=')?[1..] ?? words[0],
            Architecture = architecture,
            FileName = $"{words[0]}-{words[1]}-{architecture}.pkg.tar.zst",
            Sha256 = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(
                System.Text.Encoding.UTF8.GetBytes(line + architecture))),
            Bytes = 1,
            Depends = [.. rest.Where(w => w[0] is not ('+' or '=' or '~' or '?'))],
            Provides = [.. rest.Where(w => w[0] == '+').Select(w => w[1..])],
            Sonames = [.. rest.Where(w => w[0] == '~').Select(w => w[1..])],
            NeededSonames = [.. rest.Where(w => w[0] == '?').Select(w => w[1..])],
        };
    }

    private MovePackages Move(params string[] names) =>
        new() { Id = Id(), Time = default, Names = [.. names], From = "testing", To = "stable" };

    private static IEnumerable<string> Names(Farm farm, string repository, string architecture = "x86_64") =>
        farm.State.Repositories.TryGetValue($"{repository}/{architecture}", out var state)
            ? state.Packages.Values.Select(package => $"{package.Name} {package.Version}")
            : [];

    private string Id() => $"s{++_signals}";

    private static SignalOutcome Send(Farm farm, Signal signal)
    {
        foreach (var happened in Signals.Settle(farm.State, signal)) farm.Apply(happened);
        return farm.State.Signals[signal.Id];
    }
}
