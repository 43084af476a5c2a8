using System.Text;

namespace Quarters.Alpm.Tests;

public sealed class PackageInfoTests
{
    [Fact]
    public void A_pkginfo_is_written_as_it_was_read()
    {
        var info = PackageInfo.Parse(Encoding.UTF8.GetBytes(Archive.Info));
        Assert.Equal(WithoutComments(Archive.Info), info.ToText());
        Assert.Equal("1:2.4.1-3", info.Version.ToString());
        Assert.Equal(1_700_000_000, info.BuildDate.ToUnixTimeSeconds());
        Assert.Equal(["GPL", "MIT"], info.Licenses);
        Assert.Equal(["glibc>=2.30", "libssl.so=3-64"], info.Depends.Select(depend => depend.ToString()));
        Assert.Equal("for the plug-ins", info.OptDepends[0].Description);
    }

    [Fact]
    public void A_buildinfo_is_written_as_it_was_read()
    {
        var info = BuildInfo.Parse(Encoding.UTF8.GetBytes(Archive.Build));
        Assert.Equal(Archive.Build, info.ToText());
        Assert.Equal(new InstalledPackage("python", PackageVersion.Parse("2:3.11-4.1"), "any"), info.Installed[1]);
    }

    [Theory]
    [InlineData("pkgname = lantern", "pkgname = a/b", ".PKGINFO line 2: the name 'a/b' is refused")]
    [InlineData("pkgname = lantern", "", ".PKGINFO: the field pkgname is missing")]
    [InlineData("arch = x86_64", "", ".PKGINFO: the field arch is missing")]
    [InlineData("pkgver = 1:2.4.1-3", "pkgver = 1", ".PKGINFO line 4: '1' is not a version")]
    [InlineData("size = 12345", "size = -1", ".PKGINFO line 9: size '-1' is not a number")]
    [InlineData("size = 12345", "size = 1\nsize = 2", ".PKGINFO line 10: size stands there twice")]
    [InlineData("builddate = 1700000000", "builddate = 999999999999",
        ".PKGINFO line 7: builddate is after the year 9999")]
    [InlineData("depend = glibc>=2.30", "depend = a b", "depend 'a b' is refused")]
    [InlineData("group = lights", "gruop = lights", "there is no field 'gruop'")]
    [InlineData("group = lights", "group", "'group' is not of the form 'key = value'")]
    public void A_malformed_pkginfo_is_refused_with_place_and_reason(string line, string instead, string reason)
    {
        Assert.Contains(line, Archive.Info);
        var bytes = Encoding.UTF8.GetBytes(Archive.Info.Replace(line, instead));
        Assert.Contains(reason, Assert.Throws<AlpmFormatException>(() => PackageInfo.Parse(bytes)).Message);
    }

    [Fact]
    public void Text_that_is_not_utf8_is_refused()
    {
        var bytes = Encoding.Latin1.GetBytes(Archive.Info.Replace("Jo Doe", "Jö Doe"));
        Assert.Contains("is not UTF-8", Assert.Throws<AlpmFormatException>(() => PackageInfo.Parse(bytes)).Message);
    }

    internal static string WithoutComments(string text) =>
        string.Concat(text.Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line + "\n"));
}
