using Quarters.Core.Documents;
using Quarters.Linux.Processes;

namespace Quarters.Chroots.Tests;

public sealed class WrongSourceTests(Workbench bench)
{
    [Fact]
    public async Task A_wrong_checksum_fails_at_the_sources_and_names_the_file()
    {
        var source = bench.Package(
            "wrong-sum", $"source=(data.txt)\nsha256sums=({new string('0', 64)})\npackage() {{ :; }}", (
                "data.txt", "data"));

        var failure = await bench.FailedAsync(bench.Request(source));

        Assert.Equal("sources", failure.Stage);
        Assert.Equal(FailureKind.Package, failure.Kind);
        Assert.Contains("data.txt ... FAILED", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_source_fails_at_the_sources_and_names_the_file()
    {
        var source = bench.Package("no-source", "source=(absent.txt)\nsha256sums=(SKIP)\npackage() { :; }");

        var failure = await bench.FailedAsync(bench.Request(source));

        Assert.Equal("sources", failure.Stage);
        Assert.Equal(FailureKind.Package, failure.Kind);
        Assert.Contains("absent.txt", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_that_cannot_be_fetched_may_be_had_another_time()
    {
        var source = bench.Package(
            "far-source", "source=(http://127.0.0.1:9/far.txt)\nsha256sums=(SKIP)\npackage() { :; }");

        var failure = await bench.FailedAsync(bench.Request(source));

        Assert.Equal("sources", failure.Stage);
        Assert.Equal(FailureKind.Environment, failure.Kind);
        Assert.Contains(
            "Failure while downloading http://127.0.0.1:9/far.txt", failure.Message, StringComparison.Ordinal);
    }
}

public sealed class SignedSourceTests(Workbench bench)
{
    [Fact]
    public async Task Sources_fetched_before_and_signed_by_a_key_of_the_package_suffice_without_network()
    {
        var source = await SignedAsync("signed", "data", "data");
        var log = new LogText();

        await bench.BuiltAsync(bench.Request(source, log.Append));

        Assert.Contains("signed.txt ... Passed", log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_signature_fails_at_the_sources_and_names_the_file()
    {
        var source = await SignedAsync("forged", "data", "other data");

        var failure = await bench.FailedAsync(bench.Request(source));

        Assert.Equal("sources", failure.Stage);
        Assert.Equal(FailureKind.Package, failure.Kind);
        Assert.Contains("forged.txt ... FAILED (bad signature", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_the_package_does_not_name_is_not_enough()
    {
        var source = await SignedAsync("stranger", "data", "data", validKey: new string('A', 40));

        var failure = await bench.FailedAsync(bench.Request(source));

        Assert.Equal("sources", failure.Stage);
        Assert.Contains("stranger.txt ... FAILED (invalid public key", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>A package whose source and signature lie among the sources fetched before.</summary>
    private async Task<string> SignedAsync(string name, string signed, string shipped, string? validKey = null)
    {
        var home = Directory.CreateDirectory(bench[$"keys-{name}"]).FullName;
        var file = bench[$"fetched/{name}.txt"];
        await File.WriteAllTextAsync(file, signed, Workbench.Cancellation);
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = "bash",
                Arguments =
                [
                    "-euc",
                    """
                    export GNUPGHOME=$1; chmod 700 "$1"
                    gpg='gpg --batch --quiet --pinentry-mode loopback --passphrase='
                    $gpg --quick-generate-key 'Upstream <up@example.org>' ed25519 sign never
                    $gpg --detach-sign --output "$2.sig" "$2"
                    mkdir -p "$3"; $gpg --armor --export > "$3/upstream.asc"
                    gpg --batch --list-keys --with-colons | awk -F: '$1 == "fpr" { print $10; exit }'
                    gpgconf --kill all
                    """,
                    "sign", home, file, bench[$"sources/{name}/keys/pgp"],
                ],
            },
            Workbench.Cancellation);
        Assert.True(result.Succeeded, result.StandardError);
        await File.WriteAllTextAsync(file, shipped, Workbench.Cancellation);
        return bench.Package(name, $$"""
            source=(http://127.0.0.1:9/{{name}}.txt{,.sig})
            sha256sums=(SKIP SKIP)
            validpgpkeys=({{validKey ?? result.StandardOutput.Trim()}})
            package() { :; }
            """);
    }
}
