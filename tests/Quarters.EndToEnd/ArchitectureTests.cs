namespace Quarters.EndToEnd;

/// <summary>One master, builders of two architectures. The machines of these tests run both: x86_64, and the part of it
/// that newer processors have more of, for which distributions build the same packages once more.</summary>
public sealed class ArchitectureTests
{
    private const string Newer = "x86_64_v3";

    [Fact]
    public async Task Each_architecture_is_built_by_its_own_builders_and_what_is_for_any_once_for_all()
    {
        await using var farm = await SpreadFarm.CreateAsync(text => text.Replace(
            "architectures = [\"x86_64\"]", $$"""
            architectures = ["x86_64", "{{Newer}}"]
            """, StringComparison.Ordinal) + $$"""

            [[architecture]]
            name = "{{Newer}}"
            accepts = ["x86_64"]
            makepkg = ['CFLAGS="${CFLAGS/-march=x86-64 /-march=x86-64-v3 }"']
            """);
        await farm.AddBuilderAsync("anna");
        await farm.AddBuilderAsync("vera", architecture: Newer);
        WritePackages(farm.Packages);
        await farm.Packages.CommitAsync("for one architecture, for the other, for both, and for any");
        await farm.UntilAsync(
            s => s.Counts is { Packages: 3, Built: 3, Blocked: 0, Ready: 0, Building: 0, Failed: 0 },
            "everything is built");

        // A job's name ends with eight digits of its source package.
        Assert.Equal(["label-1.0-1-any", "level-1.0-1-x86_64"], Built(farm, "anna"));
        Assert.Equal([$"level-1.0-1-{Newer}", $"level-extras-1.0-1-{Newer}"], Built(farm, "vera"));

        // A machine of each: what it installs, for which it was built, and with which flags.
        var old = Path.Combine(farm.Folder, "old");
        await farm.PacmanForAsync("x86_64", old, "-Sy", "level");
        Assert.Equal("label 1.0-1\nlevel 1.0-1\n", await farm.PacmanForAsync("x86_64", old, "-Q"));
        Assert.Contains("built for the baseline", await ProgramAsync(old), StringComparison.Ordinal);
        var young = Path.Combine(farm.Folder, "young");
        await farm.PacmanForAsync($"{Newer} x86_64", young, "-Sy", "level");
        Assert.Equal(
            "label 1.0-1\nlevel 1.0-1\nlevel-extras 1.0-1\n",
            await farm.PacmanForAsync($"{Newer} x86_64", young, "-Q"));
        Assert.Contains("built for newer processors", await ProgramAsync(young), StringComparison.Ordinal);
        Assert.Matches(
            $"Architecture +: {Newer}\n", await farm.PacmanForAsync($"{Newer} x86_64", young, "-Qi", "level"));

        // What is for any is one file under two names.
        Assert.Equal(
            await File.ReadAllBytesAsync(Published(farm, "x86_64"), TestContext.Current.CancellationToken),
            await File.ReadAllBytesAsync(Published(farm, Newer), TestContext.Current.CancellationToken));
        foreach (var node in farm.Builders.Values.Append(farm.Master)) Assert.Equal(0, await node.InterruptAsync());
    }

    private static void WritePackages(PackageTree packages)
    {
        packages.Write("label", "1.0", "", "arch=(any)");
        packages.Write("level-extras", "1.0", "", $"arch=({Newer})");
        packages.Write("level", "1.0", "label", $$"""
            arch=(x86_64 {{Newer}})
            depends_{{Newer}}=(level-extras)
            build() {
              printf '%s\n' '#include <stdio.h>' '#ifdef __AVX2__' '#define LEVEL "newer processors"' '#else' \
                '#define LEVEL "the baseline"' '#endif' 'int main(void) { return puts("built for " LEVEL) < 0; }' \
                > level.c
              cc $CFLAGS $LDFLAGS -o level level.c
            }
            """, "install -Dm755 level \"$pkgdir/usr/bin/level\"");
    }

    /// <summary>The jobs that a builder built, without the digits of their source packages.</summary>
    private static IEnumerable<string> Built(SpreadFarm farm, string builder) =>
        BuildSpan.Read(builder, farm.Builders[builder].Home).Select(span => span.Job[..^9])
            .Order(StringComparer.Ordinal);

    private static async Task<string> ProgramAsync(string root) => await File.ReadAllTextAsync(
        Path.Combine(root, "usr", "bin", "level"), System.Text.Encoding.Latin1,
        TestContext.Current.CancellationToken);

    private static string Published(SpreadFarm farm, string architecture) => Path.Combine(
        farm.Master.Home, "state", "master", "public", "repo", "quarters", "os", architecture,
        "label-1.0-1-any.pkg.tar.zst");
}
