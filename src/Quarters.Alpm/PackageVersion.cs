using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Quarters.Alpm;

/// <summary>The full version of a package, <c>[epoch:]pkgver-pkgrel</c>, as makepkg would accept it.</summary>
/// <remarks>
/// Equality is of the text; the order is libalpm's, in which different texts may be equal (<c>1.0-1</c> and
/// <c>1_0-1</c>). A dependency's version, which may lack the release, is text: see <see cref="Relation.Version"/>.
/// </remarks>
public sealed record PackageVersion : IComparable<PackageVersion>
{
    /// <summary>The longest accepted version in characters; a package's directory name in a database must hold
    /// it.</summary>
    public const int MaxLength = 200;

    /// <summary>All of it. The parts are cut out when somebody asks: databases hold thousands of versions that are
    /// only compared and printed.</summary>
    private readonly string _text;

    private PackageVersion(ulong epoch, string text)
    {
        Epoch = epoch;
        _text = text;
    }

    /// <summary>Outranks everything after it; 0 where none is written.</summary>
    public ulong Epoch { get; }

    /// <summary>The version of the packaged software.</summary>
    public string Pkgver => _text[(_text.IndexOf(':', StringComparison.Ordinal) + 1).._text.LastIndexOf('-')];

    /// <summary>The release of the package: an integer, or <c>integer.integer</c>.</summary>
    public string Pkgrel => _text[(_text.LastIndexOf('-') + 1)..];

    /// <summary>Orders two texts exactly as <c>alpm_pkg_vercmp</c> (the program <c>vercmp</c>) does.</summary>
    /// <remarks>Defined for all texts. It is no order to sort by when some texts lack a release:
    /// <c>1-1</c> equals <c>1</c>, which equals <c>1-2</c>.</remarks>
    /// <returns>-1, 0 or 1.</returns>
    public static int Compare(ReadOnlySpan<char> a, ReadOnlySpan<char> b) => VersionOrder.Compare(a, b);

    /// <summary>Reads <c>[epoch:]pkgver-pkgrel</c>.</summary>
    /// <exception cref="AlpmFormatException">It is not a version that makepkg accepts.</exception>
    public static PackageVersion Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryRead(text, out var version) is { } problem
            ? throw new AlpmFormatException($"version {AlpmFormatException.Quote(text)}", problem)
            : version!;
    }

    /// <summary>Reads <c>[epoch:]pkgver-pkgrel</c>; false if makepkg would refuse it.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out PackageVersion? version)
    {
        version = null;
        return text is not null && TryRead(text, out version) is null;
    }

    /// <summary>Puts together the three variables of a PKGBUILD.</summary>
    /// <param name="epoch">Digits; null or empty for none.</param>
    /// <param name="pkgver">The software's version.</param>
    /// <param name="pkgrel">The package's release.</param>
    /// <exception cref="AlpmFormatException">makepkg would refuse one of them.</exception>
    public static PackageVersion Create(string? epoch, string pkgver, string pkgrel) =>
        Check(epoch, pkgver, pkgrel, out var number) is { } problem
            ? throw new AlpmFormatException(
                $"version {AlpmFormatException.Quote($"{epoch}:{pkgver}-{pkgrel}")}", problem)
            : new PackageVersion(number, number == 0 ? $"{pkgver}-{pkgrel}" : $"{number}:{pkgver}-{pkgrel}");

    /// <summary>The same software packaged again: another pkgrel.</summary>
    /// <exception cref="AlpmFormatException">The release is not <c>integer[.integer]</c>.</exception>
    public PackageVersion WithRelease(string pkgrel) =>
        Create(Epoch.ToString(CultureInfo.InvariantCulture), Pkgver, pkgrel);

    /// <inheritdoc/>
    public int CompareTo(PackageVersion? other) => other is null ? 1 : VersionOrder.Compare(_text, other._text);

    /// <summary>Older than.</summary>
    public static bool operator <(PackageVersion? left, PackageVersion? right) => Order(left, right) < 0;

    /// <summary>Newer than.</summary>
    public static bool operator >(PackageVersion? left, PackageVersion? right) => Order(left, right) > 0;

    /// <summary>Not newer than.</summary>
    public static bool operator <=(PackageVersion? left, PackageVersion? right) => Order(left, right) <= 0;

    /// <summary>Not older than.</summary>
    public static bool operator >=(PackageVersion? left, PackageVersion? right) => Order(left, right) >= 0;

    /// <summary><c>epoch:pkgver-pkgrel</c>, without the epoch when it is 0, as makepkg prints it.</summary>
    public override string ToString() => _text;

    /// <inheritdoc/>
    public bool Equals(PackageVersion? other) => other is not null && _text == other._text;

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    private static int Order(PackageVersion? left, PackageVersion? right) =>
        left is null ? (right is null ? 0 : -1) : left.CompareTo(right);

    private static string? TryRead(string text, out PackageVersion? version)
    {
        version = null;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var hyphen = text.LastIndexOf('-');
        if (colon == 0) return "the epoch before the colon is empty; write digits";
        if (hyphen < 0) return "it has no release; write pkgver-pkgrel";
        if (hyphen < colon) return "the release stands before the epoch; write epoch:pkgver-pkgrel";
        var span = text.AsSpan();
        var problem = Check(
            colon < 0 ? default : span[..colon], span[(colon + 1)..hyphen], span[(hyphen + 1)..], out var epoch);
        // An epoch of 0 is not printed.
        if (problem is null) version = new PackageVersion(epoch, epoch == 0 ? text[(colon + 1)..] : text);
        return problem;
    }

    /// <summary>The rules of makepkg's lint_pkgbuild (pkgver.sh, pkgrel.sh, epoch.sh).</summary>
    private static string? Check(
        ReadOnlySpan<char> epoch, ReadOnlySpan<char> pkgver, ReadOnlySpan<char> pkgrel, out ulong number)
    {
        number = 0;
        if (!epoch.IsEmpty
            && (!ulong.TryParse(epoch, NumberStyles.None, CultureInfo.InvariantCulture, out number)
                || (epoch[0] == '0' && epoch.Length > 1)))
        {
            // makepkg prints an epoch of 01 as it stands, and pacman then takes it for another version than 1.
            return "the epoch is not an integer without leading zeros";
        }
        if (pkgver.Length == 0) return "the pkgver is empty";
        foreach (var c in pkgver)
        {
            if (c is < '!' or > '~' or '/' or ':' or '-')
                return "the pkgver may hold only visible ASCII without colon, slash and hyphen";
        }
        if (!IsRelease(pkgrel)) return "the pkgrel is not of the form integer or integer.integer";
        if (pkgver.Length + pkgrel.Length > MaxLength) return $"it is longer than {MaxLength} characters";
        return null;
    }

    private static bool IsRelease(ReadOnlySpan<char> text)
    {
        var dot = text.IndexOf('.');
        return dot < 0 ? IsDigits(text) : IsDigits(text[..dot]) && IsDigits(text[(dot + 1)..]);
    }

    private static bool IsDigits(ReadOnlySpan<char> text) =>
        !text.IsEmpty && !text.ContainsAnyExceptInRange('0', '9');
}
