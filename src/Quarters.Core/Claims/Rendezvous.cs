using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Quarters.Core.Claims;

/// <summary>
/// The order of builders for one attempt of a job, which everybody works out alike. Highest random weight hashing
/// (Thaler and Ravishankar 1998), with weights after Schindelhauer and Schomaker 2005: a builder of weight 2 is first
/// twice as often as one of weight 1.
/// </summary>
public static class Rendezvous
{
    private const int MantissaBits = 52;

    /// <summary>
    /// The lot of a builder for an attempt: the first 8 bytes, most significant first, of the SHA-256 of the text
    /// <c>JOB.ATTEMPT</c>, a line feed, and the builder's key as it is written everywhere. Between two posted claims
    /// the greater lot wins: it depends on nothing that two builders could know differently.
    /// </summary>
    public static ulong Lot(string attemptName, string publicKey)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(attemptName + "\n" + publicKey), digest);
        return BinaryPrimitives.ReadUInt64BigEndian(digest);
    }

    /// <summary>The score of a builder: <c>-weight / ln(u)</c>, u being its lot scaled to between 0 and 1. The builder
    /// with the highest score is the first.</summary>
    public static double Score(ulong lot, double weight) =>
        -weight / Math.Log(((lot >> (64 - MantissaBits)) + 0.5) / (1UL << MantissaBits));

    /// <summary>Whether the first of two different builders wins where both have posted the same claim.</summary>
    public static bool Wins(ulong lot, string publicKey, ulong otherLot, string otherKey) =>
        lot != otherLot ? lot > otherLot : string.CompareOrdinal(publicKey, otherKey) < 0;
}
