using System.Collections.Immutable;
using System.Security.Cryptography;
using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Linux.Files;

namespace Quarters.Chroots.Builds;

/// <summary>Takes the packages out of a chroot, where everything was written by the build and may be a trap.</summary>
internal static class PackageCollector
{
    private const int MaxPackages = 1000;
    private const int BufferBytes = 1 << 20;

    /// <summary>Copies the packages to the output directory.</summary>
    /// <returns>The packages, and the text of the first one's .BUILDINFO.</returns>
    /// <exception cref="BuildStop">There are none, or something that is no package has the name of one.</exception>
    internal static async Task<(ImmutableArray<BuiltPackage> Packages, string BuildInfo)> CollectAsync(
        string from, string to, CancellationToken cancellationToken)
    {
        var names = Names(from);
        var packages = ImmutableArray.CreateBuilder<BuiltPackage>(names.Count);
        foreach (var name in names)
            packages.Add(await CopyAsync(Path.Combine(from, name), Path.Combine(to, name), cancellationToken));
        return (packages.ToImmutable(), ReadBuildInfo(packages[0].Path));
    }

    private static List<string> Names(string from)
    {
        List<string> names;
        try
        {
            names = [.. Directory.EnumerateFileSystemEntries(from).Select(Path.GetFileName).OfType<string>()
                .Where(name => PackageFileName.TryParse(name, out _)).Order(StringComparer.Ordinal)
                    .Take(MaxPackages + 1)];
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or DirectoryNotFoundException)
        {
            throw new BuildStop(FailureKind.Package, $"The build left no directory of packages: {exception.Message}");
        }

        return names.Count switch
        {
            0 => throw new BuildStop(FailureKind.Package, "makepkg ended well, but it left no package."),
            > MaxPackages => throw new BuildStop(FailureKind.Package, $"It left more than {MaxPackages} packages."),
            _ => names,
        };
    }

    private static async Task<BuiltPackage> CopyAsync(string from, string to, CancellationToken cancellationToken)
    {
        FileStream source;
        try
        {
            source = UntrustedFile.OpenRead(from);
        }
        catch (IOException exception)
        {
            throw new BuildStop(FailureKind.Package, $"A package could not be taken: {exception.Message}");
        }

        await using (source)
        {
            var part = to + ".part";
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long bytes = 0;
            await using (var target = new FileStream(part, FileMode.Create, FileAccess.Write))
            {
                var buffer = new byte[BufferBytes];
                while (await source.ReadAsync(buffer, cancellationToken) is > 0 and var count)
                {
                    hash.AppendData(buffer, 0, count);
                    await target.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
                    bytes += count;
                }
            }

            File.Move(part, to, overwrite: true);
            return new BuiltPackage
            {
                Path = to,
                Bytes = bytes,
                Sha256 = Convert.ToHexStringLower(hash.GetHashAndReset()),
            };
        }
    }

    private static string ReadBuildInfo(string package)
    {
        try
        {
            using var stream = File.OpenRead(package);
            return PackageFile.ReadInfo(stream, new PackageReadLimits()).Build?.ToText()
                ?? throw new BuildStop(FailureKind.Package, $"{Path.GetFileName(package)} has no .BUILDINFO.");
        }
        catch (AlpmFormatException exception)
        {
            throw new BuildStop(FailureKind.Package, $"{Path.GetFileName(package)} is no package: {exception.Message}");
        }
    }
}
