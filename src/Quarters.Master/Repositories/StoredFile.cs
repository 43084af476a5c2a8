using System.Security.Cryptography;

namespace Quarters.Master.Repositories;

/// <summary>Files whose digest is known.</summary>
internal static class StoredFile
{
    /// <summary>Whether a file is there, with these bytes. All of it is read; what the disk does not give back is as
    /// bad as other bytes.</summary>
    /// <param name="path">Where it should be.</param>
    /// <param name="sha256">Its SHA-256 in lower-case hex.</param>
    public static bool IsWhole(string path, string sha256)
    {
        if (!File.Exists(path)) return false;
        try
        {
            using var stream = File.OpenRead(path);
            return Convert.ToHexStringLower(SHA256.HashData(stream)) == sha256;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
