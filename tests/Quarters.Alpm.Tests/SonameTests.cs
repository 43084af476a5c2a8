using System.Text.RegularExpressions;
using CsCheck;

namespace Quarters.Alpm.Tests;

/// <summary>Which libraries a package brings and needs, compared with what readelf says of this
/// machine's own.</summary>
public sealed partial class SonameTests
{
    [Fact]
    public async Task Every_library_and_program_of_this_machine_is_read_as_readelf_does()
    {
        var files = new[] { "/usr/bin", "/usr/sbin", "/usr/lib/x86_64-linux-gnu" }
            .SelectMany(directory => new DirectoryInfo(directory).EnumerateFiles())
            .Where(file => file.LinkTarget is null && file.Length is > 0 and < 20_000_000)
            .OrderBy(file => file.FullName, StringComparer.Ordinal).Select(file => file.FullName).ToArray();
        var told = await Tool.Run("sh", ["-c", "readelf -dW \"$@\" 2>&1 || true", "-", .. files]);

        var expected = told.Split("\nFile: ")[1..].ToDictionary(
            part => part[..part.IndexOf('\n')],
            part => (Sonames: Names(part, "SONAME"), Needed: Names(part, "NEEDED")), StringComparer.Ordinal);

        foreach (var path in files)
        {
            var facts = Read(Archive.File("usr/lib/it", File.ReadAllBytes(path)));
            var (sonames, needed) = expected.GetValueOrDefault(path, ([], []));
            Assert.True(sonames.SequenceEqual(facts.Sonames),
                $"{path} is {string.Join(' ', facts.Sonames)}, and should be {string.Join(' ', sonames)}");
            Assert.True(needed.Except(sonames).SequenceEqual(facts.NeededSonames),
                $"{path} needs {string.Join(' ', facts.NeededSonames)}, and should {string.Join(' ', needed)}");
        }

        Assert.True(expected.Values.Count(one => one.Needed.Length > 0) > 100);
        Assert.True(expected.Values.Count(one => one.Sonames.Length > 0) > 20);
    }

    [Theory]
    [InlineData("--64", "elf_x86_64", "64")]
    [InlineData("--32", "elf_i386", "32")]
    public async Task A_package_needs_no_library_that_it_brings_itself(string assembler, string linker, string bits)
    {
        using var scratch = new Scratch();
        scratch.Write("empty.s", []);
        await Tool.Run("sh", ["-c", $"""
            set -e
            as {assembler} -o empty.o empty.s
            link() {"{"} ld -m {linker} -shared --no-as-needed "$@"; {"}"}
            link -soname libouter.so.7.1 -o libouter.so empty.o
            link -soname libplain-1.so -o libplain.so empty.o
            link -soname libinner.so.2 -o libinner.so empty.o libouter.so libplain.so
            link -o plugin.so empty.o libinner.so ./libouter.so
            """], scratch.Path);

        byte[] Built(string name) => File.ReadAllBytes(Path.Combine(scratch.Path, name));
        var facts = Read(
            Archive.File("usr/lib/plugin.so", Built("plugin.so")),
            Archive.File("usr/lib/libinner.so.2", Built("libinner.so")));

        Assert.Equal([$"libinner.so=2-{bits}"], facts.Sonames);
        Assert.Equal([$"libouter.so=7.1-{bits}", $"libplain-1.so={bits}"], facts.NeededSonames);
        Assert.Empty(Read(Archive.File("usr/lib/debug/usr/lib/libinner.so.2.debug", Built("libinner.so"))).Sonames);
    }

    [Fact]
    public void A_spoilt_library_has_no_links_and_keeps_no_package_from_being_read()
    {
        var library = File.ReadAllBytes(typeof(object).Assembly.Location.Replace("System.Private.CoreLib.dll",
            "libSystem.Native.so", StringComparison.Ordinal));
        Assert.Contains("libc.so=6-64", Read(Archive.File("usr/lib/it", library)).NeededSonames);

        // The headers are where all that is followed stands.
        Hostile.Mutations(library[..4096]).Sample(
            beginning =>
            {
                var facts = Read(
                    Archive.File("usr/lib/it", [.. "\u007fELF"u8, .. beginning.Skip(4), .. library[4096..]]));
                Assert.All(facts.NeededSonames.Concat(facts.Sonames), name => Assert.DoesNotContain('/', name));
            }, iter: 300);
    }

    private static PackageFacts Read(params System.Formats.Tar.TarEntry[] members) => PackageFile.Read(
        new MemoryStream(Archive.Package(members)), new PackageReadLimits(), new MemoryStream());

    private static string[] Names(string told, string tag) =>
    [
        .. Entry().Matches(told).Where(match => match.Groups["tag"].Value == tag)
            .Select(match => match.Groups["name"].Value).Where(name => !name.Contains('/'))
            .Select(name => name.Split(".so.", 2) is [var stem, var version] ? $"{stem}.so={version}-64" : name + "=64")
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
    ];

    [GeneratedRegex(@"\((?<tag>SONAME|NEEDED)\)[^\[]*\[(?<name>[^\]]*)\]")]
    private static partial Regex Entry();
}
