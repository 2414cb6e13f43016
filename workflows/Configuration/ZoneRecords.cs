using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Configuration;

/// <summary>
/// The zone file of a zone that is given as records. Each record becomes one line: what would be more or less than that is refused by its field.
/// Whether it means something is Knot's to judge, as of any zone file.
/// </summary>
internal static partial class ZoneRecords
{
    private const int Most = 100_000;
    private const int LongestData = 16 * 1024;
    private const int LongestString = 255;

    /// <summary>The text, with the serial of the former one where nothing else is different, and the next one where something is.</summary>
    /// <param name="former">The zone file that is served now; null for a new zone.</param>
    /// <returns>Null after noting what is wrong.</returns>
    public static string? File(string field, ZoneName zone, ZoneRequest request, string? former, InputErrors errors)
    {
        var soa = request.Soa ?? new SoaRequest();
        var records = request.Records!;
        List<string> lines = [];
        if (records.Count > Most)
        {
            errors.Add($"{field}.records", $"must be at most {Most:N0}");
            return null;
        }

        foreach (var (index, record) in records.Index())
        {
            if (Line($"{field}.records[{index}]", zone, record, errors) is { } line)
            {
                lines.Add(line);
            }
        }

        var primary = soa.Primary ?? records.FirstOrDefault(r => r is { Name: null or "" or "@", Data: not null } && "NS".Equals(r.Type, StringComparison.OrdinalIgnoreCase))?.Data;
        if (primary is null || !IsName(primary))
        {
            errors.Add($"{field}.soa.primary", "must be the name of the zone's first name server, or left out where the records have an NS of the zone itself");
        }

        if (soa.Contact is not null && !IsName(soa.Contact))
        {
            errors.Add($"{field}.soa.contact", "must be a mail address written as a name: hostmaster.example.org. for hostmaster@example.org");
        }

        var times = new[] { ("refresh", soa.Refresh), ("retry", soa.Retry), ("expire", soa.Expire), ("minimum", soa.Minimum), ("ttl", (long)request.Ttl) };
        foreach (var (name, seconds) in times.Where(t => !IsTtl(t.Item2)))
        {
            errors.Add(name == "ttl" ? $"{field}.ttl" : $"{field}.soa.{name}", "must be 0 to 2147483647 seconds");
        }

        if (soa.Serial is < 0 or > uint.MaxValue)
        {
            errors.Add($"{field}.soa.serial", "must be 0 to 4294967295");
        }

        if (!errors.None)
        {
            return null;
        }

        var served = former is null ? null : (uint?)ZoneFileSerial.Of(former);
        if (served is { } same && !IsBehind(same, soa.Serial) && Render(same) == former)
        {
            return former;
        }

        var next = served is { } s ? (s == uint.MaxValue ? 1 : s + 1) : 1u;
        return Render(served is null ? (uint)(soa.Serial ?? next) : IsBehind(next, soa.Serial) ? (uint)soa.Serial! : next);

        string Render(uint serial)
        {
            var text = new StringBuilder();
            text.Append(CultureInfo.InvariantCulture, $"$ORIGIN {zone.Absolute}\n$TTL {request.Ttl}\n");
            text.Append(CultureInfo.InvariantCulture, $"@ SOA {primary} {soa.Contact ?? "hostmaster"} {serial} {soa.Refresh} {soa.Retry} {soa.Expire} {soa.Minimum}\n");
            return text.AppendJoin('\n', lines).Append('\n').ToString();
        }
    }

    // Serial numbers go round (RFC 1982): of two, the one is greater that is less than half the circle ahead.
    private static bool IsBehind(uint serial, long? wanted) => wanted is { } w && unchecked((int)((uint)w - serial)) > 0;

    private static string? Line(string field, ZoneName zone, RecordRequest? record, InputErrors errors)
    {
        var name = record?.Name is null or "" ? "@" : record.Name;
        var broken = false;
        Check("name", IsOwner(name) && (!name.EndsWith('.') || IsWithin(name, zone)), $"must be a name below {zone.Absolute}, as in www, *.dyn or @ for the zone itself");
        Check("type", record?.Type is { } type && Type().IsMatch(type) && !type.Equals("SOA", StringComparison.OrdinalIgnoreCase),
            "must be a type of record, as in A, MX or TYPE65534; the SOA is in soa");
        Check("ttl", IsTtl(record?.Ttl ?? 0), "must be 0 to 2147483647 seconds");
        Check("data", record is { Data: not null } != record is { Text: not null }, "is needed, or text for a TXT; not both");
        if (record?.Data is { } data)
        {
            Check("data", IsOneRecord(data), $"must be what a zone file has after the type, in one line of at most {LongestData} ASCII characters, without comments and brackets, and with each quote closed");
        }

        if (record?.Text is { } text)
        {
            Check("text", text.Count is > 0 and <= 1000 && text.All(t => t is not null) && text.Sum(t => Encoding.UTF8.GetByteCount(t)) <= LongestData, $"must be 1 to 1000 texts with at most {LongestData} bytes together");
        }

        return broken ? null : $"{name} {(record!.Ttl is { } ttl ? $"{ttl.ToString(CultureInfo.InvariantCulture)} " : "")}{record.Type!.ToUpperInvariant()} {record.Data ?? string.Join(' ', record.Text!.SelectMany(Quoted))}";

        void Check(string part, bool holds, string rule)
        {
            if (!holds)
            {
                broken = true;
                errors.Add($"{field}.{part}", rule);
            }
        }
    }

    /// <summary>A string of a record has at most 255 bytes; what is longer is several, which readers put together again.</summary>
    private static IEnumerable<string> Quoted(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var at = 0; at == 0 || at < bytes.Length; at += LongestString)
        {
            var quoted = new StringBuilder("\"");
            foreach (var b in bytes.AsSpan(at, Math.Min(LongestString, bytes.Length - at)))
            {
                quoted = b is (byte)'"' or (byte)'\\' ? quoted.Append('\\').Append((char)b) : b is >= 0x20 and < 0x7f ? quoted.Append((char)b) : quoted.Append(CultureInfo.InvariantCulture, $"\\{b:000}");
            }

            yield return quoted.Append('"').ToString();
        }
    }

    private static bool IsOneRecord(string data)
    {
        if (data.Length is 0 or > LongestData || data.AsSpan().ContainsAnyExceptInRange(' ', '~') || string.IsNullOrWhiteSpace(data))
        {
            return false;
        }

        var quoted = false;
        for (var i = 0; i < data.Length; i++)
        {
            switch (data[i])
            {
                case '\\' when i + 1 < data.Length: i++; break;
                case '\\': return false;
                case '"': quoted = !quoted; break;
                case ';' or '(' or ')' when !quoted: return false;
            }
        }

        return !quoted;
    }

    private static bool IsTtl(long seconds) => seconds is >= 0 and <= int.MaxValue;

    private static bool IsOwner(string name) => name == "@" || (name.Length <= 254 && Owner().IsMatch(name));

    private static bool IsName(string name) => name == "@" || (name.Length <= 254 && Name().IsMatch(name));

    private static bool IsWithin(string name, ZoneName zone) =>
        name.Equals(zone.Absolute, StringComparison.OrdinalIgnoreCase) || name.EndsWith("." + zone.Absolute, StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"\A(\*|(\*\.)?[A-Za-z0-9_/-]{1,63}(\.[A-Za-z0-9_/-]{1,63})*\.?)\z")]
    private static partial Regex Owner();

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?\z")]
    private static partial Regex Name();

    // A class (IN, CH, HS) would be read as one, and the data as the type.
    [GeneratedRegex(@"\A(?!(IN|CH|HS|CS)\z)[A-Za-z][A-Za-z0-9]{0,9}\z", RegexOptions.IgnoreCase)]
    private static partial Regex Type();
}
