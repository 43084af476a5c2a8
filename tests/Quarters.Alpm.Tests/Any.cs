using CsCheck;

namespace Quarters.Alpm.Tests;

/// <summary>Generators that several tests share.</summary>
internal static class Any
{
    /// <summary>One of the values.</summary>
    public static Gen<T> Of<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    /// <summary>A text of these characters.</summary>
    public static Gen<string> Text(string characters, int shortest, int longest) =>
        Gen.Char[characters].Array[shortest, longest].Select(chars => new string(chars));
}
