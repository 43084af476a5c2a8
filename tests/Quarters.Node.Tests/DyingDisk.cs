using Quarters.Linux.Files;

namespace Quarters.Node.Tests;

internal sealed class DiskDiedException : IOException;

/// <summary>
/// A disk of a machine that dies in the middle of its nth operation. What was not synced by then may be there, in
/// part, or not at all: <see cref="Settle"/> decides by chance what the device remembers.
/// </summary>
internal sealed class DyingDisk(int diesAt, Random chance) : IDisk
{
    private readonly List<Name> _names = [];
    private readonly Dictionary<string, long> _synced = [];
    private bool _dead;

    /// <summary>How many operations there were.</summary>
    public int Operations { get; private set; }

    public void Write(string path, ReadOnlySpan<byte> bytes)
    {
        var dies = Begin();
        Changing(path);
        File.WriteAllBytes(path, dies ? bytes[..chance.Next(bytes.Length + 1)].ToArray() : bytes.ToArray());
        Die(dies);
    }

    public IAppendFile OpenAppend(string path)
    {
        var dies = Begin();
        if (!File.Exists(path))
        {
            Changing(path);
            File.WriteAllBytes(path, []);
        }

        _synced.TryAdd(path, new FileInfo(path).Length);
        Die(dies);
        return new AppendFile(this, path);
    }

    public void Truncate(string path, long length)
    {
        var dies = Begin();
        if (!dies || chance.Next(2) == 0)
        {
            using var file = File.OpenWrite(path);
            file.SetLength(length);
        }

        Die(dies);
    }

    public void Rename(string from, string to)
    {
        var dies = Begin();
        if (!dies || chance.Next(2) == 0)
        {
            Changing(to, from);
            Move(from, to);
        }

        Die(dies);
    }

    public void Delete(string path)
    {
        var dies = Begin();
        if (!dies || chance.Next(2) == 0)
            File.Delete(path);
        Die(dies);
    }

    public void DeleteDirectory(string path)
    {
        if (_dead)
            throw new DiskDiedException();
        if (!Directory.Exists(path))
            return;
        // It may die at any of the names in it.
        foreach (var file in Directory.GetFiles(path, "*", SearchOption.AllDirectories))
            Delete(file);
        foreach (var folder in Directory.GetDirectories(path, "*", SearchOption.AllDirectories)
            .OrderByDescending(folder => folder.Length).Append(path))
        {
            var dies = Begin();
            if (!dies || chance.Next(2) == 0)
                Directory.Delete(folder);
            Die(dies);
        }
    }

    public void CreateDirectory(string path)
    {
        var dies = Begin();
        if (!dies || chance.Next(2) == 0)
            Directory.CreateDirectory(path);
        Die(dies);
    }

    public void SyncDirectory(string path)
    {
        var dies = Begin();
        if (!dies)
            _names.RemoveAll(name => Path.GetDirectoryName(name.Path) == path);
        Die(dies);
    }

    public void HardLink(string existing, string added)
    {
        var dies = Begin();
        if (!dies || chance.Next(2) == 0)
        {
            Changing(added);
            LinuxDisk.Instance.HardLink(existing, added);
        }

        Die(dies);
    }

    public void Copy(string from, string to) => Write(to, File.ReadAllBytes(from));

    /// <summary>The machine starts again: of what was not synced, some is lost.</summary>
    public void Settle()
    {
        foreach (var (path, length) in _synced)
        {
            if (!File.Exists(path) || new FileInfo(path).Length <= length)
                continue;
            using var file = File.OpenWrite(path);
            file.SetLength(chance.NextInt64(length, file.Length + 1));
        }

        // A file system forgets the last changes of names, not some in the middle.
        var kept = chance.Next(_names.Count + 1);
        for (var i = _names.Count - 1; i >= kept; i--)
        {
            var (path, before, from) = _names[i];
            // What was deleted after it was renamed is gone under either name.
            if (from is not null && Path.Exists(path))
                Move(path, from);
            if (before is not null)
                File.WriteAllBytes(path, before);
            else
                File.Delete(path);
        }
    }

    private static void Move(string from, string to)
    {
        if (Directory.Exists(from))
            Directory.Move(from, to);
        else
            File.Move(from, to, overwrite: true);
    }

    private bool Begin()
    {
        if (_dead)
            throw new DiskDiedException();
        return ++Operations == diesAt;
    }

    private void Die(bool dies)
    {
        if (!dies)
            return;
        _dead = true;
        throw new DiskDiedException();
    }

    private void Changing(string path, string? from = null) =>
        _names.Add(new Name(path, File.Exists(path) ? File.ReadAllBytes(path) : null, from));

    private sealed record Name(string Path, byte[]? Before, string? From);

    private sealed class AppendFile(DyingDisk disk, string path) : IAppendFile
    {
        public long Length => new FileInfo(path).Length;

        public void Append(ReadOnlySpan<byte> bytes)
        {
            var dies = disk.Begin();
            using (var file = new FileStream(path, FileMode.Append))
                file.Write(dies ? bytes[..disk.PartOf(bytes.Length)] : bytes);
            disk.Die(dies);
        }

        public void Sync()
        {
            var dies = disk.Begin();
            if (!dies)
                disk._synced[path] = Length;
            disk.Die(dies);
        }

        public void Dispose()
        {
            // Nothing is held open.
        }
    }

    private int PartOf(int length) => chance.Next(length + 1);
}
