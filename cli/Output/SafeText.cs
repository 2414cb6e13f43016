using System.Globalization;
using System.Text;

namespace ManagedServers.Cli.Output;

/// <summary>
/// Text of others, made safe to print. A name, a log line or an error of a host can hold bytes that move the cursor, change the
/// window's title or reverse what is read; they are shown as what they are.
/// </summary>
internal static class SafeText
{
    /// <summary>One line: every control character becomes visible.</summary>
    public static string Line(string? text)
    {
        if (text is null)
        {
            return "";
        }

        StringBuilder? safe = null;
        var at = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (Harmless(rune))
            {
                safe?.Append(rune.ToString());
            }
            else
            {
                safe ??= new StringBuilder(text, 0, at, text.Length + 16);
                safe.Append(Visible(rune));
            }

            at += rune.Utf16SequenceLength;
        }

        return safe?.ToString() ?? text;
    }

    /// <summary>Text of several lines, each safe.</summary>
    public static IReadOnlyList<string> Lines(string? text) =>
        [.. (text ?? "").TrimEnd().Split('\n').Select(line => Line(line.TrimEnd('\r')))];

    /// <summary>Text of several lines on one: a blank for whatever blanks and line ends are between its words. Not yet safe.</summary>
    public static string OneLine(string? text) => string.Join(' ', (text ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>JSON as it came, with what JSON allows inside strings but a terminal would obey written as escapes: the same value.</summary>
    public static string Json(string json)
    {
        var safe = new StringBuilder(json.Length);
        foreach (var rune in json.EnumerateRunes())
        {
            if (Harmless(rune) || rune.Value is '\n' or '\t')
            {
                safe.Append(rune.ToString());
            }
            else if (rune.Value != '\r')
            {
                foreach (var unit in rune.ToString())
                {
                    safe.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}");
                }
            }
        }

        return safe.ToString();
    }

    // Unpaired surrogates arrive here as U+FFFD, which is harmless.
    private static bool Harmless(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or
        UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);

    private static string Visible(Rune rune) => rune.Value switch
    {
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => " ",
        < 0x100 => $"\\x{rune.Value:x2}",
        < 0x10000 => $"\\u{rune.Value:x4}",
        _ => $"\\U{rune.Value:x8}",
    };
}
