using CsCheck;

namespace Quarters.Alpm.Tests;

public sealed class PackageFileNameTests
{
    [Fact]
    public void The_name_of_a_package_file_comes_apart_from_its_end()
    {
        var name = PackageFileName.Parse("gtk-doc-tools-1:1.3-1.2-x86_64.pkg.tar.zst");
        Assert.Equal(("gtk-doc-tools", "1:1.3-1.2", "x86_64", ".pkg.tar.zst"),
            (name.Name, name.Version.ToString(), name.Architecture, name.Extension));
    }

    [Theory]
    [InlineData("zlib-1.3-1-x86_64.tar.zst", "does not end in")]
    [InlineData("zlib-1.3-1-x86_64.pkg.tar.exe", "does not end in")]
    [InlineData("zlib-1.3-1-x86_64.pkg.tar.zst.sig", "does not end in")]
    [InlineData("zlib-1.3-1-x86/64.pkg.tar", "no architecture")]
    [InlineData("zlib.pkg.tar", "no architecture")]
    [InlineData("zlib-1-any.pkg.tar", "name-pkgver-pkgrel")]
    [InlineData("../zlib-1.3-1-any.pkg.tar", "begins with a hyphen or a dot")]
    [InlineData("a/zlib-1.3-1-any.pkg.tar", "only ASCII letters")]
    [InlineData("zlib-1.3-x-any.pkg.tar", "the version is not one")]
    [InlineData("zlib-0:1.3-1-any.pkg.tar", "would not write")]
    public void What_is_no_package_file_name_is_refused_with_the_reason(string text, string reason)
    {
        Assert.False(PackageFileName.TryParse(text, out _));
        Assert.Contains(reason, Assert.Throws<AlpmFormatException>(() => PackageFileName.Parse(text)).Message);
    }

    [Fact]
    public void Any_text_is_printed_as_it_was_or_refused() =>
        Gen.Select(Any.Text("a1.-:/", 0, 12), Any.Of(".pkg.tar", ".pkg.tar.xz", ".pkg.tar.lz", ""), (a, b) => a + b)
            .Sample(
            text => !PackageFileName.TryParse(text, out var name)
                || (name.ToString() == text && !text.Contains('/') && PackageName.IsValid(name.Name)));
}
