namespace Quarters.Tests;

/// <summary>The checkout that the tests run from.</summary>
internal static class Checkout
{
    /// <summary>Its top directory.</summary>
    internal static string Root { get; } = FindRoot();

    /// <summary>The path of a file in it.</summary>
    internal static string PathOf(string relative) => Path.Combine(Root, relative);

    private static string FindRoot()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "Quarters.slnx"))) at = at.Parent;
        return at?.FullName ?? throw new InvalidOperationException(
            $"{AppContext.BaseDirectory} is not below a checkout of Quarters; run the tests from one");
    }
}
