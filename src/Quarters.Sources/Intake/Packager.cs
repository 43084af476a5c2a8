namespace Quarters.Sources.Intake;

/// <summary>The form of a packager in <c>.PKGINFO</c>: <c>Name &lt;address&gt;</c>, in one line.</summary>
internal static class Packager
{
    private const int MaxLength = 200;

    /// <summary>Puts one together of what somebody else wrote; null when there is nothing to name.</summary>
    internal static string? Create(string name, string address)
    {
        var cleanName = Clean(name);
        var cleanAddress = Clean(address);
        if (cleanName.Length == 0)
            cleanName = cleanAddress.Split('@')[0];
        if (cleanName.Length == 0)
            return null;
        return cleanAddress.Length == 0 ? cleanName : $"{cleanName} <{cleanAddress}>";
    }

    /// <summary>Reads <c>Name &lt;address&gt;</c>; null when there is no address in it.</summary>
    internal static string? Parse(string text)
    {
        var open = text.IndexOf('<');
        var close = text.IndexOf('>', open + 1);
        return open < 0 || close < 0 ? null : Create(text[..open], text[(open + 1)..close]);
    }

    private static string Clean(string text)
    {
        var clean = new string(
            [.. text.Where(character => !char.IsControl(character) && character is not ('<' or '>'))]).Trim();
        return clean.Length > MaxLength ? clean[..MaxLength] : clean;
    }
}
