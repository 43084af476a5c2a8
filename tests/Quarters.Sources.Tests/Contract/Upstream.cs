using Quarters.Sources.Intake;

namespace Quarters.Sources.Tests.Contract;

/// <summary>
/// A source as its owner has it: a directory to write packages into, and ways to show the world what is in it. This is
/// all that the contract's tests know of a kind of source.
/// </summary>
internal abstract class Upstream(Workshop workshop) : IAsyncDisposable
{
    /// <summary>The author of a publication unless a test names another.</summary>
    internal const string Ada = "Ada <ada@example.org>";

    internal const string Bob = "Bob <bob@example.org>";

    /// <summary>What a test writes into: one directory a package.</summary>
    internal string Tree { get; } = workshop.Files["upstream/tree"];

    /// <summary>True when the kind of source knows who published a change, so that it can be named.</summary>
    internal abstract bool KnowsAuthors { get; }

    /// <summary>How an author of a publication is named where no map says otherwise.</summary>
    internal virtual string Named(string author) => author;

    protected Workshop Workshop { get; } = workshop;

    /// <summary>Opens the source, as it is opened after a restart: with what earlier polls have left.</summary>
    internal abstract ISource Open(PackagerSettings packagers);

    internal ISource Open() => Open(new PackagerSettings());

    /// <summary>Makes what is in <see cref="Tree"/> the source's content.</summary>
    internal abstract Task PublishAsync(string author = Ada);

    /// <summary>Makes what is in <see cref="Tree"/> the source's content, and has nothing left of all that was
    /// published before: a rewritten history where there is one.</summary>
    internal abstract Task RewriteAsync();

    /// <summary>Nobody can read the source until <see cref="MendAsync"/>.</summary>
    internal abstract Task BreakAsync();

    internal abstract Task MendAsync();

    /// <summary>Writes a plain package into <see cref="Tree"/>.</summary>
    internal void Package(string directory, string version = "1", string more = "") =>
        Write($"{directory}/PKGBUILD", TestTrees.Text(directory, version, more));

    internal void Write(string relative, string text)
    {
        var file = PathOf(relative);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    internal void Remove(string directory) => Directory.Delete(Path.Combine(Tree, directory), recursive: true);

    /// <summary>Renames a package's directory.</summary>
    /// <returns>The package base that the renamed package has: the old one, unless the directory names it.</returns>
    internal virtual string Rename(string from, string to)
    {
        Directory.Move(Path.Combine(Tree, from), Path.Combine(Tree, to));
        return from;
    }

    /// <summary>Where a file of a package is: <c>alpha/PKGBUILD</c> need not be just there.</summary>
    internal virtual string PathOf(string relative) => Path.Combine(Tree, relative);

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
