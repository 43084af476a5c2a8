using CsCheck;

namespace Quarters.Alpm.Tests;

/// <summary>Input that somebody spoiled.</summary>
internal static class Hostile
{
    /// <summary>The bytes with some of them changed, cut out, doubled, or cut off.</summary>
    public static Gen<byte[]> Mutations(byte[] valid) => Gen.Select(
        Gen.Int[0, 3], Gen.Select(Gen.Int[0, valid.Length], Gen.Int[0, valid.Length]),
        Gen.Select(Gen.Int[0, valid.Length - 1], Gen.Byte).Array[0, 6],
        (kind, range, changes) =>
        {
            var (from, to) = range.Item1 < range.Item2 ? range : (range.Item2, range.Item1);
            var bytes = kind switch
            {
                0 => valid[..to],
                1 => [.. valid[..from], .. valid[to..]],
                2 => [.. valid[..to], .. valid[from..]],
                _ => (byte[])valid.Clone(),
            };
            foreach (var (at, value) in changes)
            {
                if (at < bytes.Length) bytes[at] = value;
            }
            return bytes;
        });

    /// <summary>Runs a reader: it may succeed or refuse; any other exception is its own and fails the test.</summary>
    public static bool ReadsOrRefuses(Action read)
    {
        try
        {
            read();
        }
        catch (AlpmFormatException)
        {
            return true;
        }
        return true;
    }
}
