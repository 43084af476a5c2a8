using CsCheck;

namespace Quarters.Alpm.Tests;

public sealed class PackageVersionTests
{
    /// <summary>Few characters, so that versions share segments and meet in every branch of the comparison.</summary>
    private static readonly Gen<string> Near = Any.Text("0019ab.._-:+~ZéA𝄞", 0, 9)
        .Where(text => !HasLoneSurrogate(text));

    private static readonly Gen<string> Pkgver = Any.Text("00129abrc.._+~", 1, 8);

    private static readonly Gen<string> Full = Gen.Select(
        Any.Of("", "0:", "1:", "12:", ":"), Pkgver, Any.Of("", "-1", "-2", "-10", "-1.1", "-"),
        (epoch, version, release) => epoch + version + release);

    internal static readonly Gen<PackageVersion> Valid = Gen.Select(
        Any.Of("", "1", "20"), Pkgver, Any.Of("1", "2", "10", "1.1"), PackageVersion.Create);

    /// <summary>Numbers and letters with single separators between them. Where separators lead, end or double,
    /// libalpm's own order runs in circles (0 &lt; .a &lt;= . &lt; 0), and so must ours.</summary>
    private static readonly Gen<PackageVersion> Real = Gen.Select(
        Any.Of("0", "1"), Any.Of("0", "1", "10", "2a", "rc1", "b").Array[1, 4],
        Any.Of(".", "_", "+").Array[4], Any.Of("1", "2", "1.1"),
        (epoch, parts, separators, release) => PackageVersion.Create(
            epoch, string.Concat(parts.Select((part, i) => i == 0 ? part : separators[i] + part)), release));

    [Fact]
    public void A_million_random_pairs_order_as_libalpm_orders_them() =>
        Gen.OneOf(Gen.Select(Full, Full), Gen.Select(Near, Near)).Sample(
            (a, b) => PackageVersion.Compare(a, b) == Libalpm.Compare(a, b), iter: 1_000_000);

    [Theory]
    [InlineData("1.0", "1.0rc1", 1)]
    [InlineData("1.0", "1.0.1", -1)]
    [InlineData("1:0.1-1", "2.0-1", 1)]
    [InlineData("1.0", "1.0-5", 0)]
    [InlineData("1.5-1", "1.5-2", -1)]
    [InlineData("1.0.", "1.0.a", 1)]
    [InlineData("99999999999999999999999", "100000000000000000000000", -1)]
    public async Task The_program_vercmp_agrees(string a, string b, int expected)
    {
        Assert.Equal(expected, PackageVersion.Compare(a, b));
        var output = await Tool.Run("vercmp", [a, b]);
        Assert.Equal(expected, int.Parse(output));
    }

    [Fact]
    public void Valid_versions_compare_alike_both_ways_round() =>
        Gen.Select(Valid, Valid).Sample((a, b) => a.CompareTo(b) == -b.CompareTo(a)
            && (a < b) == (b > a) && (a <= b) == (b >= a) && (!a.Equals(b) || a.CompareTo(b) == 0));

    [Fact]
    public void Versions_of_real_shape_can_be_sorted() => Gen.Select(Real, Real, Real).Sample(
        (a, b, c) => !(a <= b && b <= c) || (a <= c && (!(a < b) && !(b < c) || a < c)), iter: 200_000);

    [Fact]
    public void A_valid_version_survives_being_printed_and_read() =>
        Valid.Sample(version => PackageVersion.Parse(version.ToString()).Equals(version));

    [Fact]
    public void Reading_any_text_gives_a_version_or_a_format_error() => Near.Sample(text =>
    {
        var readable = PackageVersion.TryParse(text, out _);
        if (readable) _ = PackageVersion.Parse(text);
        else Assert.Throws<AlpmFormatException>(() => PackageVersion.Parse(text));
    });

    [Theory]
    [InlineData("1.0", "it has no release")]
    [InlineData(":1-1", "the epoch before the colon is empty")]
    [InlineData("a:1-1", "the epoch is not an integer")]
    [InlineData("01:1-1", "the epoch is not an integer without leading zeros")]
    [InlineData("-1", "the pkgver is empty")]
    [InlineData("1-2-3", "colon, slash and hyphen")]
    [InlineData("1/2-3", "colon, slash and hyphen")]
    [InlineData("1 2-3", "visible ASCII")]
    [InlineData("1é-3", "visible ASCII")]
    [InlineData("1-", "integer or integer.integer")]
    [InlineData("1-1.2.3", "integer or integer.integer")]
    [InlineData("1-a", "integer or integer.integer")]
    public void What_makepkg_refuses_is_refused_with_the_reason(string text, string reason)
    {
        var error = Assert.Throws<AlpmFormatException>(() => PackageVersion.Parse(text));
        Assert.Contains(reason, error.Message);
    }

    [Fact]
    public void An_epoch_of_zero_is_not_printed()
    {
        Assert.Equal("1.2-3", PackageVersion.Parse("0:1.2-3").ToString());
        Assert.Equal("4:1.2-3", PackageVersion.Parse("4:1.2-3").ToString());
        Assert.Equal("4:1.2-3.1", PackageVersion.Parse("4:1.2-3").WithRelease("3.1").ToString());
    }

    private static bool HasLoneSurrogate(string text)
    {
        // What is not Unicode cannot be handed to libalpm.
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])) i++;
            else if (char.IsSurrogate(text[i])) return true;
        }
        return false;
    }
}
