using Quarters.Chroots.Builds;

namespace Quarters.Chroots.Tests;

public sealed class FailureSignsTests
{
    [Theory]
    [InlineData("Failure while downloading https://example.org/a.tar.gz")]
    [InlineData("Failure while cloning https://example.org/a.git")]
    [InlineData("Failure while updating local git repo")]
    [InlineData("Cannot find the subversion package needed to handle svn sources.")]
    [InlineData("The download program curl is not installed.")]
    public void Sources_that_could_not_be_had_here_may_be_had_elsewhere(string error) =>
        Assert.True(FailureSigns.OfFetching(["something", error]));

    [Theory]
    [InlineData("One or more files did not pass the validity check!")]
    [InlineData("One or more PGP signatures could not be verified!")]
    [InlineData("hello.c was not found in the build directory and is not a URL.")]
    [InlineData("Cannot find the source")]
    public void Sources_that_are_wrong_are_wrong_everywhere(string error) =>
        Assert.False(FailureSigns.OfFetching([error]));

    [Theory]
    [InlineData("Partition /target too full: 10 blocks needed, 1 blocks free; not enough free disk space", true)]
    [InlineData("could not extract /usr/bin/x (Write failed: No space left on device)", true)]
    [InlineData("zlib: invalid or corrupted package (checksum)", true)]
    [InlineData("target not found: no-such-thing", false)]
    [InlineData("unresolvable package conflicts detected", false)]
    [InlineData("unable to satisfy dependency 'x' required by y", false)]
    public void Pacman_tells_a_machine_that_cannot_from_a_package_that_must_not(string words, bool machine) =>
        Assert.Equal(machine, FailureSigns.OfMachine(words));
}
