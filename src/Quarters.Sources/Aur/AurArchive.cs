using System.Text.Json;
using Quarters.Alpm;
using Quarters.Sources.Web;

namespace Quarters.Sources.Aur;

/// <summary>The AUR's archive of all metadata: one question for any number of packages. It is kept, and read again only
/// when the server has a newer one.</summary>
internal sealed class AurArchive(Uri address, string path, WebReader web)
{
    private const int MaxBytes = 128 << 20;
    private const long MaxUnpackedBytes = 2L << 30;
    private const int MaxLineBytes = 1 << 20;
    private const int MaxPackages = 1_000_000;

    private string MarkPath => path + ".mark";

    /// <summary>Brings what is kept up to date, and looks into it.</summary>
    /// <exception cref="SourceUnreachableException">It cannot be had now, or is damaged.</exception>
    internal async Task<IAurCatalog> OpenAsync(CancellationToken cancellationToken)
    {
        var url = new Uri(address, "packages-meta-ext-v1.json.gz");
        var mark = File.Exists(path) && File.Exists(MarkPath)
            ? await File.ReadAllTextAsync(MarkPath, cancellationToken)
            : null;
        var answer = await web.ReadAsync(url, mark is { Length: > 1 } ? mark : null, MaxBytes, cancellationToken);
        if (answer.Body is not null)
        {
            // The mark goes first and comes last: a crash between leaves an archive that is fetched again.
            File.Delete(MarkPath);
            await File.WriteAllBytesAsync(path, answer.Body, cancellationToken);
            if (answer.Mark is not null)
                await File.WriteAllTextAsync(MarkPath, answer.Mark, cancellationToken);
        }

        try
        {
            await using var file = File.OpenRead(path);
            return new Catalog(Read(file));
        }
        catch (Exception damage) when (damage is JsonException or AlpmFormatException)
        {
            File.Delete(MarkPath);
            throw new SourceUnreachableException($"{url} is damaged, and is fetched anew: {damage.Message}");
        }
    }

    /// <summary>Reads the packages, which stand on a line each between lines of brackets.</summary>
    private static Dictionary<string, AurPackage> Read(Stream packed)
    {
        var packages = new Dictionary<string, AurPackage>(StringComparer.Ordinal);
        using var stream = Compression.OpenRead(packed, "the AUR's metadata", MaxUnpackedBytes);
        var buffer = new byte[MaxLineBytes];
        var filled = 0;
        while (stream.Read(buffer.AsSpan(filled)) is > 0 and var count)
        {
            filled += count;
            var start = 0;
            while (buffer.AsSpan(start, filled - start).IndexOf((byte)'\n') is >= 0 and var length)
            {
                Add(buffer.AsSpan(start, length), packages);
                start += length + 1;
            }

            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            filled -= start;
            if (filled == buffer.Length)
                throw new AlpmFormatException("the AUR's metadata", $"a line is longer than {MaxLineBytes} bytes");
        }

        Add(buffer.AsSpan(0, filled), packages);
        return packages;
    }

    private static void Add(ReadOnlySpan<byte> line, Dictionary<string, AurPackage> packages)
    {
        line = line.Trim(" \t\r,"u8);
        if (line.IsEmpty || line is [(byte)'['] or [(byte)']'])
            return;
        if (JsonSerializer.Deserialize(line, AurJson.Default.AurPackage) is { Name.Length: > 0 } package)
            packages[package.Name] = package;
        if (packages.Count > MaxPackages)
            throw new AlpmFormatException("the AUR's metadata", $"it has more than {MaxPackages} packages");
    }

    private sealed class Catalog(Dictionary<string, AurPackage> packages) : IAurCatalog
    {
        private readonly Lazy<ILookup<string, AurPackage>> _byProvision = new(() => packages.Values
            .SelectMany(package => (package.Provides ?? [])
                .Select(provides => (Name: AurWanted.NameOf(provides), Package: package)))
            .ToLookup(one => one.Name, one => one.Package, StringComparer.Ordinal));

        public Task<List<AurPackage>> FindAsync(
            IReadOnlyCollection<string> names, CancellationToken cancellationToken) =>
            Task.FromResult(names.Select(packages.GetValueOrDefault).OfType<AurPackage>().ToList());

        public Task<List<AurPackage>> ProvidersAsync(string name, CancellationToken cancellationToken) =>
            Task.FromResult(_byProvision.Value[name].ToList());
    }
}
