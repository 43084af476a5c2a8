using System.Security.Cryptography;
using Quarters.Alpm;
using Quarters.Core.Planning;

namespace Quarters.Master.Repositories;

/// <summary>Package files that were accepted, read again. Disks lose files and flip bits, and that concerns one
/// package: what it concerns is said, and the rest goes on.</summary>
internal static class StoredPackage
{
    /// <summary>Reads a package file when it is the one that was accepted.</summary>
    /// <param name="path">Where it should be.</param>
    /// <param name="package">What was accepted.</param>
    /// <param name="read">Reads the open file, from its beginning.</param>
    /// <exception cref="UnreadablePackageException">It is gone, has other bytes, or the disk does not give it
    /// back.</exception>
    public static T Read<T>(string path, RepositoryPackage package, Func<Stream, T> read)
    {
        try
        {
            using var file = File.OpenRead(path);
            if (file.Length != package.Bytes)
                throw Fault($"is damaged: it has {file.Length} bytes and had {package.Bytes}", null);
            var found = Convert.ToHexStringLower(SHA256.HashData(file));
            if (found != package.Sha256) throw Fault($"is damaged: its SHA-256 sum is {found}", null);
            file.Position = 0;
            return read(file);
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Fault("is gone", gone);
        }
        catch (Exception unreadable) when (
            unreadable is AlpmFormatException or IOException or UnauthorizedAccessException)
        {
            throw Fault($"cannot be read: {unreadable.Message}", unreadable);
        }

        UnreadablePackageException Fault(string what, Exception? inner) =>
            StoredPackage.Fault(path, package, what, inner);
    }

    /// <summary>What is wrong with a package file, and what to do.</summary>
    public static UnreadablePackageException Fault(
        string path, RepositoryPackage package, string what, Exception? inner) => new(
        $"{path} {what}; put back the file with the SHA-256 sum {package.Sha256} and start the master again, or have "
        + $"{package.Pkgbase} built anew (quarters rebuild NAME {package.Pkgbase}, then quarters merge NAME)",
        inner);
}

/// <summary>A package file that was accepted is not there any more as it was; the message says what to do.</summary>
internal sealed class UnreadablePackageException(string message, Exception? inner) : Exception(message, inner);
