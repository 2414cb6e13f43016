using Spectre.Console.Rendering;

namespace ManagedServers.Cli.Output;

internal enum Fit
{
    /// <summary>Always whole.</summary>
    Whole,

    /// <summary>May be cut on a terminal that is too narrow; never in a pipe.</summary>
    MayShrink,

    /// <summary>A number.</summary>
    Right,
}

internal readonly record struct Cell(string Text, Tone Tone = Tone.Plain)
{
    public static implicit operator Cell(string? text) => new(text ?? "");
}

/// <summary>Aligned columns without lines: easy to read, easy to cut with awk.</summary>
internal sealed class TextTable(params (string Title, Fit Fit)[] titled)
{
    private const int Gap = 2;
    private const int Narrowest = 12;
    // Made safe here, as all of it: some titles are names of hosts' disks.
    private readonly (string Title, Fit Fit)[] columns = [.. titled.Select(c => (SafeText.Line(c.Title), c.Fit))];
    private readonly List<Cell[]> rows = [];

    /// <summary>Adds a row. Texts are made safe here, so no caller can forget it.</summary>
    public void Row(params Cell[] cells) => rows.Add([.. cells.Select(c => c with { Text = SafeText.Line(c.Text) })]);

    public void Write(Screen screen, string whenEmpty)
    {
        if (rows.Count == 0)
        {
            screen.Note(whenEmpty, Tone.Quiet);
            return;
        }

        var widths = Widths(screen.Width);
        screen.Line(Layout([.. columns.Select(c => new Cell(c.Title, Tone.Quiet))], widths, screen));
        foreach (var row in rows)
        {
            screen.Line(Layout(row, widths, screen));
        }
    }

    public static int CellsOf(string text) => new Segment(text).CellCount();

    /// <summary>The text in at most so many cells.</summary>
    public static string Cut(string text, int cells)
    {
        if (CellsOf(text) <= cells)
        {
            return text;
        }

        var kept = text;
        while (kept.Length > 0 && CellsOf(kept) > cells - 1)
        {
            kept = kept[..^(kept.Length > 1 && char.IsLowSurrogate(kept[^1]) ? 2 : 1)];
        }

        return cells > 0 ? kept + "…" : "";
    }

    private int[] Widths(int room)
    {
        var widths = columns.Select((c, i) => Math.Max(c.Title.Length, rows.Max(r => CellsOf(r[i].Text)))).ToArray();
        for (var excess = widths.Sum() + (Gap * (widths.Length - 1)) - room; room != int.MaxValue && excess > 0; excess--)
        {
            var widest = Enumerable.Range(0, widths.Length).Where(i => columns[i].Fit == Fit.MayShrink).DefaultIfEmpty(-1).MaxBy(i => i < 0 ? 0 : widths[i]);
            if (widest < 0 || widths[widest] <= Narrowest)
            {
                break;
            }

            widths[widest]--;
        }

        return widths;
    }

    private string Layout(Cell[] row, int[] widths, Screen screen)
    {
        var line = new System.Text.StringBuilder();
        var pending = 0;
        for (var i = 0; i < row.Length; i++)
        {
            var text = Cut(row[i].Text, widths[i]);
            var padding = widths[i] - CellsOf(text);
            if (columns[i].Fit == Fit.Right)
            {
                (pending, padding) = (pending + padding, 0);
            }

            if (text.Length > 0)
            {
                // Blanks before a text are written only now, so that no line ends with them.
                line.Append(' ', pending).Append(screen.Paint(text, row[i].Tone));
                pending = 0;
            }

            pending += padding + Gap;
        }

        return line.ToString();
    }
}
