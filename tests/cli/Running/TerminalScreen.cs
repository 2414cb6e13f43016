using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ManagedServers.Cli.Tests.Running;

/// <summary>
/// What a terminal of some width shows after some output: the few commands that live displays use, lines without end upwards.
/// A line that is written past the last column is broken, as a terminal does; <see cref="Broken"/> counts them.
/// </summary>
public sealed partial class TerminalScreen(int columns)
{
    private readonly List<StringBuilder> lines = [new()];
    private int row;
    private int column;

    public int Broken { get; private set; }

    public bool CursorHidden { get; private set; }

    public IReadOnlyList<string> Lines => [.. lines.Select(l => l.ToString().TrimEnd())];

    public string Text => string.Join('\n', Lines);

    public static TerminalScreen Of(string output, int columns)
    {
        var screen = new TerminalScreen(columns);
        screen.Write(output);
        return screen;
    }

    public void Write(string output)
    {
        for (var i = 0; i < output.Length; i++)
        {
            var escape = Escape().Match(output, i);
            if (escape.Success && escape.Index == i)
            {
                Obey(escape.Groups[1].Value, escape.Groups[2].Value);
                i += escape.Length - 1;
            }
            else
            {
                Put(output[i]);
            }
        }
    }

    private void Put(char c)
    {
        switch (c)
        {
            case '\r':
                column = 0;
                break;
            case '\n':
                Down();
                break;
            case < ' ':
                throw new InvalidOperationException($"A control character came through: {(int)c}");
            default:
                if (column >= columns)
                {
                    Broken++;
                    column = 0;
                    Down();
                }

                var line = lines[row];
                line.Append(' ', Math.Max(0, column + 1 - line.Length));
                line[column++] = c;
                break;
        }
    }

    private void Down()
    {
        row++;
        if (row == lines.Count)
        {
            lines.Add(new StringBuilder());
        }
    }

    private void Obey(string numbers, string command)
    {
        var count = int.TryParse(numbers, CultureInfo.InvariantCulture, out var n) ? n : 1;
        switch (command)
        {
            case "A": row = Math.Max(0, row - count); break;
            case "B": row = Math.Min(lines.Count - 1, row + count); break;
            case "C": column = Math.Min(columns, column + count); break;
            case "D": column = Math.Max(0, column - count); break;
            case "G": column = count - 1; break;
            case "K": lines[row].Length = numbers == "2" ? 0 : Math.Min(lines[row].Length, column); break;
            case "J" when numbers is "" or "0":
                lines[row].Length = Math.Min(lines[row].Length, column);
                lines.RemoveRange(row + 1, lines.Count - row - 1);
                break;
            case "":
                break;   // keypad modes
            case "m" or "h" or "l": CursorHidden = numbers == "?25" ? command == "l" : CursorHidden; break;
            default: throw new InvalidOperationException($"An unexpected command: ESC [ {numbers} {command}");
        }
    }

    [GeneratedRegex(@"\G\x1b(?:\[([0-9;?]*)([A-Za-z])|[=>])")]
    private static partial Regex Escape();
}
