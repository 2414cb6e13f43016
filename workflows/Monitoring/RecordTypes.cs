using System.Globalization;
using System.IO.Enumeration;
using System.Text.RegularExpressions;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>How the types of records are called in hits: as the monitor calls them, and all others by their number (RFC 3597).</summary>
internal static partial class RecordTypes
{
    private const string Rule = "must be a record type as in AAAA, or any other one by its number as in TYPE65280; '*' stands for anything";

    public static IReadOnlyDictionary<int, string> Names { get; } = new Dictionary<int, string>
    {
        [1] = "A", [2] = "NS", [5] = "CNAME", [6] = "SOA", [12] = "PTR", [13] = "HINFO", [15] = "MX", [16] = "TXT", [17] = "RP", [18] = "AFSDB", [24] = "SIG", [25] = "KEY",
        [28] = "AAAA", [29] = "LOC", [33] = "SRV", [35] = "NAPTR", [36] = "KX", [37] = "CERT", [39] = "DNAME", [43] = "DS", [44] = "SSHFP", [45] = "IPSECKEY", [46] = "RRSIG",
        [47] = "NSEC", [48] = "DNSKEY", [49] = "DHCID", [50] = "NSEC3", [51] = "NSEC3PARAM", [52] = "TLSA", [53] = "SMIMEA", [55] = "HIP", [59] = "CDS", [60] = "CDNSKEY",
        [61] = "OPENPGPKEY", [62] = "CSYNC", [63] = "ZONEMD", [64] = "SVCB", [65] = "HTTPS", [99] = "SPF", [108] = "EUI48", [109] = "EUI64", [249] = "TKEY", [250] = "TSIG",
        [251] = "IXFR", [252] = "AXFR", [253] = "MAILB", [254] = "MAILA", [255] = "ANY", [256] = "URI", [257] = "CAA",
    };

    /// <summary>A question's type as hits are kept; null for any.</summary>
    /// <exception cref="InvalidInputException">No hit could ever have it: a misspelt wish, and not the answer 'nobody asked'.</exception>
    public static string? Asked(string field, string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        var type = text.ToUpperInvariant();
        if (Numbered().Match(type) is { Success: true } numbered)
        {
            return ushort.TryParse(numbered.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? Names.GetValueOrDefault(number, $"TYPE{number}") : throw new InvalidInputException(field, Rule);
        }

        var matches = Pattern().IsMatch(type) && (Names.Values.Any(name => FileSystemName.MatchesSimpleExpression(type, name)) || SomeNumbered().IsMatch(type));
        return matches ? type : throw new InvalidInputException(field, Rule);
    }

    [GeneratedRegex(@"\ATYPE([0-9]+)\z")]
    private static partial Regex Numbered();

    [GeneratedRegex(@"\A[A-Z0-9*]{1,32}\z")]
    private static partial Regex Pattern();

    [GeneratedRegex(@"\ATYPE[0-9*]*\*[0-9*]*\z")]
    private static partial Regex SomeNumbered();
}
