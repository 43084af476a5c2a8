using System.Security.Cryptography;
using System.Text;

namespace Quarters.Core.Master;

/// <summary>What feeds are called: their paths below <c>/feeds/</c>, without <c>.atom</c>.</summary>
public static class FeedName
{
    /// <summary>The feed of what fails and recovers.</summary>
    public const string Failures = "failures";

    /// <summary>No mail address that is longer names a file.</summary>
    private const int MaxAddress = 100;

    private const string PackagerPrefix = "packagers/";

    /// <summary>The feed of one of our repositories.</summary>
    public static string OfRepository(string repository) => "repositories/" + repository;

    /// <summary>
    /// The feed of a packager: named for the mail address in lower case, so that it stays whatever the name before it
    /// is; or, where that is no file's name, for the first 32 digits of the SHA-256 of the whole.
    /// </summary>
    public static string OfPackager(string packager) => PackagerPrefix + (AddressOf(packager)
        ?? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(packager)))[..32]);

    /// <summary>Whether a feed is a packager's.</summary>
    public static bool IsPackagers(string feed) => feed.StartsWith(PackagerPrefix, StringComparison.Ordinal);

    private static string? AddressOf(string packager)
    {
        var from = packager.LastIndexOf('<');
        if (from < 0 || !packager.EndsWith('>')) return null;
        var address = packager[(from + 1)..^1].ToLowerInvariant();
        var at = address.IndexOf('@', StringComparison.Ordinal);
        return address.Length <= MaxAddress && at > 0 && at < address.Length - 1
            && address.LastIndexOf('@') == at && char.IsAsciiLetterOrDigit(address[0]) && address.All(IsPlain)
            ? address
            : null;
    }

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '@' or '.' or '_' or '+' or '-';
}
