using System.Globalization;
using System.Text;

namespace ManagedServers.Workflows.Configuration;

/// <summary>A record as it stands in a zone file.</summary>
/// <param name="Owner">Lower case, with its final dot, and escaped as hits are.</param>
/// <param name="Type">In capitals.</param>
/// <param name="Data">Its words; a quoted one is a quotation mark alone.</param>
internal sealed record ZoneEntry(string Owner, string Type, IReadOnlyList<string> Data);

/// <summary>Reads the text of a zone file (RFC 1035, chapter 5) for what the product has to know of it. Knot itself judges whether it is right.</summary>
internal static class ZoneFile
{
    /// <param name="zone">What names without a final dot are below; as in <c>example.org</c>.</param>
    public static IEnumerable<ZoneEntry> Entries(string text, string zone)
    {
        var origin = zone.TrimEnd('.') + ".";
        var owner = origin;
        foreach (var (words, ownerless) in Lines(text))
        {
            if (words[0].Equals("$ORIGIN", StringComparison.OrdinalIgnoreCase) && words.Count > 1)
            {
                origin = Name(words[1], origin);
            }

            if (words[0][0] == '$')
            {
                continue;
            }

            owner = ownerless ? owner : Name(words[0], origin);
            var type = ownerless ? 0 : 1;
            while (type < words.Count && IsTtlOrClass(words[type]))
            {
                type++;
            }

            if (type < words.Count)
            {
                yield return new ZoneEntry(owner, words[type].ToUpperInvariant(), words[(type + 1)..]);
            }
        }
    }

    private static IEnumerable<(List<string> Words, bool Ownerless)> Lines(string text)
    {
        List<string> words = [];
        var (depth, ownerless) = (0, false);
        foreach (var line in text.Split('\n'))
        {
            if (depth <= 0)
            {
                if (words.Count > 0)
                {
                    yield return (words, ownerless);
                }

                (words, ownerless, depth) = ([], line.Length > 0 && line[0] is ' ' or '\t', 0);
            }

            depth = Read(line, words, depth);
        }

        if (words.Count > 0)
        {
            yield return (words, ownerless);
        }
    }

    // TTL and class in any order, each may be missing.
    private static bool IsTtlOrClass(string word) => char.IsAsciiDigit(word[0]) || word.ToUpperInvariant() is "IN" or "CH" or "HS";

    /// <summary>Adds a line's words. Gives how many parentheses are open after it: within them an entry goes on.</summary>
    private static int Read(ReadOnlySpan<char> line, List<string> words, int depth)
    {
        for (var i = 0; i < line.Length; i++)
        {
            switch (line[i])
            {
                case ';': return depth;
                case '(': depth++; break;
                case ')': depth--; break;
                case ' ' or '\t' or '\r': break;
                case '"':
                    var close = i + 1;
                    while (close < line.Length && line[close] != '"')
                    {
                        close += line[close] == '\\' ? 2 : 1;
                    }

                    words.Add("\"");
                    i = close;
                    break;
                default:
                    var end = i;
                    while (end < line.Length && line[end] is not (' ' or '\t' or '\r' or ';' or '(' or ')' or '"'))
                    {
                        end += line[end] == '\\' ? 2 : 1;
                    }

                    end = Math.Min(end, line.Length);
                    words.Add(line[i..end].ToString());
                    i = end - 1;
                    break;
            }
        }

        return depth;
    }

    /// <summary>The whole name as the monitor writes it: only what must be escaped is.</summary>
    private static string Name(string text, string origin)
    {
        if (text == "@")
        {
            return origin;
        }

        var name = new StringBuilder();
        var absolute = false;
        for (var i = 0; i < text.Length; i++)
        {
            absolute = text[i] == '.';
            if (text[i] == '\\' && i + 3 < text.Length && int.TryParse(text.AsSpan(i + 1, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var code))
            {
                Append(name, (char)code);
                i += 3;
            }
            else if (text[i] == '\\' && i + 1 < text.Length)
            {
                Append(name, text[++i]);
            }
            else if (absolute)
            {
                name.Append('.');
            }
            else
            {
                Append(name, text[i]);
            }
        }

        return absolute ? name.ToString() : origin == "." ? $"{name}." : $"{name}.{origin}";
    }

    private static void Append(StringBuilder name, char character)
    {
        var lower = char.ToLowerInvariant(character);
        if (lower is < '!' or > '~')
        {
            name.Append(CultureInfo.InvariantCulture, $"\\{(int)lower:000}");
        }
        else
        {
            name.Append(@".""\;()@$".Contains(lower, StringComparison.Ordinal) ? $"\\{lower}" : lower);
        }
    }
}
