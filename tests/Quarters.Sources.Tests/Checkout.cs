namespace Quarters.Sources.Tests;

/// <summary>Files of the checkout that the tests run from.</summary>
internal static class Checkout
{
    internal static string PathOf(string relative)
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Quarters.slnx")))
            at = at.Parent!;
        return Path.Combine(at.FullName, relative);
    }
}
