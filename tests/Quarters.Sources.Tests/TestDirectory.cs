namespace Quarters.Sources.Tests;

/// <summary>A directory that is gone when the test is over.</summary>
internal sealed class TestDirectory : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("quarters-test-").FullName;

    internal string Root => _path;

    internal string this[string relative] => Path.Combine(_path, relative);

    internal void Write(string relative, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[relative])!);
        File.WriteAllText(this[relative], text);
    }

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
