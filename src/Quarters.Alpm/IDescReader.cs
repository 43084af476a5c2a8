using System.Text;

namespace Quarters.Alpm;

/// <summary>Makes of the <c>desc</c> and <c>files</c> of an entry what is wanted of them, for one entry after the
/// other.</summary>
/// <typeparam name="T">What is wanted of an entry.</typeparam>
internal interface IDescReader<out T>
{
    /// <summary>Reads the <c>desc</c> of the present entry.</summary>
    /// <exception cref="AlpmFormatException">It is damaged, or the second.</exception>
    void ReadDesc(string directory, ReadOnlySpan<byte> utf8);

    /// <summary>Reads the <c>files</c> of the present entry.</summary>
    /// <exception cref="AlpmFormatException">It is damaged, or the second.</exception>
    void ReadFiles(string directory, ReadOnlySpan<byte> utf8);

    /// <summary>The present entry is over.</summary>
    /// <exception cref="AlpmFormatException">It is not the one that its directory promises.</exception>
    T Finish(string directory);
}

/// <summary>What is wrong with an entry of a database.</summary>
internal static class DescError
{
    public static AlpmFormatException Of(string directory, string what) => new(Where(directory), what);

    public static AlpmFormatException NoDesc(string directory) => Of(directory, "there is no desc");

    public static AlpmFormatException TwoDescs(string directory) => Of(directory, "it has two desc");

    public static AlpmFormatException Missing(string directory, string section) =>
        Of(directory, $"there is no %{section}%");

    public static AlpmFormatException NoVersion(string directory, string version) =>
        Of(directory, $"{AlpmFormatException.Quote(version)} is not a version that makepkg accepts");

    public static AlpmFormatException NoUtf8(string directory, DecoderFallbackException e) =>
        new(Where(directory), "it is not UTF-8", e);

    public static AlpmFormatException NoSection(string directory, ReadOnlySpan<char> line) =>
        Of(directory, $"a section was expected, and there is {AlpmFormatException.Quote(line)}");

    /// <summary>A name is refused that makepkg would refuse.</summary>
    public static void CheckName(string directory, string name)
    {
        if (PackageName.Problem(name) is { } problem)
            throw Of(directory, $"the name {AlpmFormatException.Quote(name)} is refused: {problem}");
    }

    /// <summary>pacman takes name and version from the directory, so they must not differ.</summary>
    public static void CheckDirectory(ReadOnlySpan<char> directory, string name, string version)
    {
        if (!directory.StartsWith(name, StringComparison.Ordinal)
            || directory[name.Length..] is not ['-', .. var rest] || !rest.SequenceEqual(version))
            throw Of(directory.ToString(), $"the desc is of {AlpmFormatException.Quote($"{name}-{version}")}");
    }

    private static string Where(string directory) => $"database entry {AlpmFormatException.Quote(directory)}";
}
