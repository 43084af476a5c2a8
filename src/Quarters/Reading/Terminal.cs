using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Quarters.Reading;

/// <summary>How things look to people. What comes from a node is never taken for markup or for commands to the
/// terminal.</summary>
internal static class Terminal
{
    private const int WidthOfPipe = 400;

    private static readonly Style Heading = new(decoration: Decoration.Dim);

    /// <summary>Where tables are drawn; a pipe gets lines that are not cut.</summary>
    internal static IAnsiConsole Open(TextWriter output)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        if (Console.IsOutputRedirected)
            console.Profile.Width = WidthOfPipe;
        return console;
    }

    /// <summary>A table of words: a heading a column, no lines.</summary>
    internal static Table Columns(params string[] headings)
    {
        var table = new Table().NoBorder();
        foreach (var heading in headings)
            table.AddColumn(new TableColumn(new Text(heading, Heading)) { NoWrap = true });
        table.Columns[^1].NoWrap = false;
        return table;
    }

    /// <summary>Adds a row of plain texts.</summary>
    internal static Table Row(this Table table, params string[] cells) =>
        table.AddRow(cells.Select(IRenderable (cell) => new Text(Printable(cell))));

    /// <summary>A text without what would move the cursor, colour the screen, or worse.</summary>
    internal static string Printable(string text) =>
        text.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0 && text.AsSpan().IndexOfAnyInRange('\x7f', '\x9f') < 0
            ? text
            : string.Concat(text.Select(c => c == '\n' || !char.IsControl(c) ? c : ' '));

    /// <summary>How long ago something was: <c>12 s</c>, <c>3 min</c>.</summary>
    internal static string Ago(DateTimeOffset time, DateTimeOffset now) => (now - time) switch
    {
        { TotalSeconds: < 0 } => "0 s",
        { TotalSeconds: < 120 } past => Number(past.TotalSeconds) + " s",
        { TotalMinutes: < 120 } past => Number(past.TotalMinutes) + " min",
        { TotalHours: < 48 } past => Number(past.TotalHours) + " h",
        var past => Number(past.TotalDays) + " d",
    };

    private static string Number(double value) => Math.Floor(value).ToString(CultureInfo.InvariantCulture);
}
