using Quarters.Linux.Files;

namespace Quarters.Linux.Tests;

public sealed class FileTreeTests : IDisposable
{
    private readonly ScratchDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    private string Target => _scratch["tree"];

    [Fact]
    public void Files_links_and_directories_get_the_modes_asked_for_whatever_the_umask()
    {
        FileTree.Write(Target,
        [
            new FileToWrite("a/b/file", (UnixFileMode)Convert.ToInt32("644", 8), "content"u8.ToArray()),
            new FileToWrite("run", (UnixFileMode)Convert.ToInt32("755", 8), "#!"u8.ToArray()),
            new FileToWrite("a/link", null, "b/file"u8.ToArray()),
        ]);

        Assert.Equal("content", File.ReadAllText(Path.Combine(Target, "a/link")));
        Assert.Equal("644", Mode("a/b/file"));
        Assert.Equal("755", Mode("run"));
        Assert.Equal("755", Mode("a/b"));
        Assert.Equal("755", Mode(""));
    }

    [Theory]
    [InlineData("../out")]
    [InlineData("/out")]
    [InlineData("a/../../out")]
    [InlineData("a//b")]
    public void A_path_that_leads_out_is_refused(string path)
    {
        Assert.Throws<IOException>(
            () => FileTree.Write(Target, [new FileToWrite(path, UnixFileMode.UserRead, default)]));
        Assert.False(File.Exists(_scratch["out"]));
    }

    [Fact]
    public void A_directory_that_exists_is_not_written_into()
    {
        Directory.CreateDirectory(Target);
        Assert.Throws<IOException>(() => FileTree.Write(Target, []));
    }

    private string Mode(string path) => Convert.ToString((int)File.GetUnixFileMode(Path.Combine(Target, path)), 8);
}
