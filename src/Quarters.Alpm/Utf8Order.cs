namespace Quarters.Alpm;

/// <summary>The order of texts by their UTF-8 bytes, as <c>LC_ALL=C sort</c> has it.</summary>
internal static class Utf8Order
{
    /// <summary>Differs from the ordinal order of .NET, which is by UTF-16, only where surrogates meet other
    /// characters.</summary>
    public static int Compare(string a, string b)
    {
        // By hand: names are short, and what the library has is compiled only while a program runs.
        var common = 0;
        while (common < a.Length && common < b.Length && a[common] == b[common]) common++;
        if (common == a.Length || common == b.Length) return a.Length - b.Length;
        char x = a[common], y = b[common];
        return char.IsSurrogate(x) == char.IsSurrogate(y) ? x - y : char.IsSurrogate(x) ? 1 : -1;
    }
}
