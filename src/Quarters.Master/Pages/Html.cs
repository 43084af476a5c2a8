using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace Quarters.Master.Pages;

/// <summary>
/// A piece of markup. It is made from interpolated text only: what the page's author wrote stands as it is, and every
/// text in a hole is encoded, so that nothing that came from elsewhere can become markup. Attributes are always quoted.
/// <code>
/// H($"""&lt;a href="{Links.Package(name)}"&gt;{name}&lt;/a&gt;""")
/// </code>
/// </summary>
internal readonly struct Html
{
    private readonly string? _text;

    private Html(string text) => _text = text;

    /// <summary>No markup.</summary>
    public static Html None => default;

    /// <summary>Markup.</summary>
    public static Html H(Markup markup) => new(markup.ToText());

    /// <summary>Markup where a condition holds, else nothing: then its holes are not looked into.</summary>
    public static Html When(bool condition, [InterpolatedStringHandlerArgument(nameof(condition))] Markup markup) =>
        condition ? new Html(markup.ToText()) : None;

    /// <summary>The markup of each row, one after the other.</summary>
    public static Html Each<T>(IEnumerable<T> rows, Func<T, Html> row) =>
        new(string.Concat(rows.Select(r => row(r)._text)));

    /// <inheritdoc/>
    public override string ToString() => _text ?? "";

    /// <summary>Collects the parts of one interpolated text; the compiler calls it.</summary>
    [InterpolatedStringHandler]
    public readonly ref struct Markup
    {
        // Letters of every language stay as they are; what means something to HTML is always encoded.
        private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);

        private readonly StringBuilder _text;

        public Markup(int literalLength, int formattedCount) =>
            _text = new StringBuilder(literalLength + (formattedCount * 16));

        public Markup(int literalLength, int formattedCount, bool condition, out bool isWanted)
            : this(condition ? literalLength : 0, condition ? formattedCount : 0) =>
            isWanted = condition;

        public void AppendLiteral(string written) => _text.Append(written);

        public void AppendFormatted(string? text) => _text.Append(Encoder.Encode(text ?? ""));

        public void AppendFormatted(Html markup) => _text.Append(markup._text);

        public void AppendFormatted(long number) => _text.Append(CultureInfo.InvariantCulture, $"{number}");

        public string ToText() => _text.ToString();
    }
}
