namespace Quarters.Alpm;

/// <summary>Writes a database entry by entry; the same entries give the same bytes.</summary>
/// <remarks>Entries are laid out as repo-add does it: a directory <c>name-version/</c>, in it <c>desc</c>, and in a
/// files database <c>files</c>. All belong to root and are from 1970, where repo-add lets the time of the run
/// show.</remarks>
public sealed class SyncDatabaseWriter : IDisposable
{
    private readonly Stream _compressed;
    private readonly bool _withFiles;
    private readonly DescWriter _text = new();
    private string _last = "";

    /// <summary>Begins a database.</summary>
    /// <param name="target">Written from where it stands, and left open.</param>
    /// <param name="format">How it is compressed.</param>
    /// <param name="withFiles">Write a <c>.files</c> database; each entry must have its files.</param>
    public SyncDatabaseWriter(Stream target, CompressionFormat format, bool withFiles)
    {
        ArgumentNullException.ThrowIfNull(target);
        // The tar blocks are small; the compressor is called once for many.
        _compressed = new BufferedStream(Compression.OpenWrite(target, format), 64 << 10);
        _withFiles = withFiles;
    }

    /// <summary>Writes one entry. Entries come in the order of the bytes of
    /// <see cref="SyncEntry.DirectoryName"/>.</summary>
    /// <exception cref="AlpmFormatException">A value has a line break or is blank, or the files are
    /// missing.</exception>
    /// <exception cref="ArgumentException">The entry is out of order, or there twice.</exception>
    public void Write(SyncEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var directory = entry.DirectoryName;
        if (_last.Length > 0 && Utf8Order.Compare(_last, directory) >= 0)
            throw new ArgumentException($"{directory} must not come after {_last}.", nameof(entry));
        if (_withFiles && entry.Files is null)
            throw new AlpmFormatException(directory, "a files database needs the files of every package");
        // The text is made before anything is written, so that a refused entry leaves the database as it was.
        _text.SetDesc(entry);
        TarFormat.WriteHeader(_compressed, directory + "/", 0, directory: true);
        WriteFile(directory + "/desc");
        if (_withFiles)
        {
            _text.SetFiles(entry.Files!);
            WriteFile(directory + "/files");
        }
        _last = directory;
    }

    /// <summary>Ends the archive. A database that was not finished is cut off, and its readers notice.</summary>
    public void Finish() => TarFormat.WriteEnd(_compressed);

    /// <summary>Ends the compressed data.</summary>
    public void Dispose() => _compressed.Dispose();

    private void WriteFile(string path)
    {
        var content = _text.Utf8;
        TarFormat.WriteHeader(_compressed, path, content.Length, directory: false);
        _compressed.Write(content);
        TarFormat.WritePadding(_compressed, content.Length);
    }
}
