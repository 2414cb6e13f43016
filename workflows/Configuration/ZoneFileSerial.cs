using System.Globalization;

namespace ManagedServers.Workflows.Configuration;

/// <summary>Finds the serial in the text of a zone file (RFC 1035, chapter 5). Knot itself judges whether the file is right; this tells what to expect on the wire.</summary>
public static class ZoneFileSerial
{
    /// <summary>Null when there is no SOA that can be made out.</summary>
    public static long? Of(string zone)
    {
        List<string> entry = [];
        var (depth, ownerless) = (0, false);
        foreach (var line in zone.EnumerateLines())
        {
            if (depth == 0)
            {
                entry.Clear();
                ownerless = line.Length > 0 && line[0] is ' ' or '\t';
            }

            depth = Read(line, entry, depth);
            if (Serial(entry, ownerless) is { } serial)
            {
                return serial;
            }
        }

        return null;
    }

    // owner TTL class SOA primary mailbox serial: TTL and class in any order, each may be missing.
    private static long? Serial(List<string> entry, bool ownerless)
    {
        var type = ownerless ? 0 : 1;
        while (type < entry.Count && IsTtlOrClass(entry[type]))
        {
            type++;
        }

        return type + 3 < entry.Count && entry[type].Equals("SOA", StringComparison.OrdinalIgnoreCase)
            && uint.TryParse(entry[type + 3], NumberStyles.None, CultureInfo.InvariantCulture, out var serial) ? serial : null;
    }

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
}
