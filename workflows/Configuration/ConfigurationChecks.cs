using System.Net;
using System.Text;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Configuration;

/// <summary>The rules for what operators want to be served, whichever way they ask for it.</summary>
internal static class ConfigurationChecks
{
    private const int MostZones = 10_000;
    private const int LongestZoneFile = 8 * 1024 * 1024;
    private const int MostRemotes = 16;
    private const int MostRules = 64;
    private const int MostKeys = 1_000;
    private const int LongestSecret = 512;

    // Fewer could be tried out.
    private const int ShortestSecret = 16;

    /// <param name="served">What is served now, whose serials go on; null where nothing is.</param>
    public static Zone[] Zones(string field, IReadOnlyList<ZoneRequest> asked, DnsConfiguration? served, InputErrors errors)
    {
        Count(field, asked.Count, errors);
        var names = new HashSet<string>();
        var former = served?.Zones.ToDictionary(z => z.Name) ?? [];
        List<Zone> zones = [];
        foreach (var (index, zone) in asked.Take(MostZones).Index())
        {
            if (!ZoneName.TryParse(zone?.Name, out var name, out var rule))
            {
                errors.Add($"{field}[{index}].name", rule);
            }
            else if (!names.Add(name.Value))
            {
                errors.Add($"{field}[{index}].name", $"is given twice: {name}");
            }
            else if (Zone($"{field}[{index}]", name, zone!, former.GetValueOrDefault(name.Value), errors) is { } read)
            {
                zones.Add(read);
            }
        }

        return [.. zones];
    }

    public static void Count(string field, int zones, InputErrors errors)
    {
        if (zones is 0 or > MostZones)
        {
            errors.Add(field, $"must name 1 to {MostZones} zones: a DNS server without one serves nobody");
        }
    }

    private static Zone? Zone(string field, ZoneName name, ZoneRequest asked, Zone? served, InputErrors errors)
    {
        var same = asked is { File: null, Records: null, Primaries: null };
        var primaries = same ? served?.Primaries ?? [] : asked.Primaries is { } given ? Remotes($"{field}.primaries", given, errors) : [];
        var zone = new Zone(name.Value, same ? served?.File : asked.Primaries is null ? Contents(field, name, asked, served, errors) : null)
        {
            Primaries = primaries, Dnssec = asked.Dnssec ?? served?.Dnssec ?? false,
            Notify = asked.Notify is { } notify ? Remotes($"{field}.notify", notify, errors) : served?.Notify ?? [],
            AllowTransfer = asked.AllowTransfer is { } rules ? Rules($"{field}.allowTransfer", rules, errors) : served?.AllowTransfer ?? [],
        };
        if (same && served is null)
        {
            errors.Add($"{field}.file", "is needed, or records, or primaries for a secondary zone: the server has no such zone yet");
        }

        if (asked.Primaries is not null && (asked.File is not null || asked.Records is not null))
        {
            errors.Add($"{field}.primaries", "cannot be combined with file or records: a secondary zone has what its primaries have");
        }
        else if (asked.Primaries is { Count: 0 })
        {
            errors.Add($"{field}.primaries", "must name at least one server, or be left out where the zone has contents of its own");
        }

        if (zone.Primaries.Count > 0 && zone.Dnssec)
        {
            errors.Add($"{field}.dnssec", asked.Dnssec is null ? "is on now, and a secondary zone is signed where it comes from: say dnssec is false" : "must not be on for a secondary zone: it is signed where it comes from");
        }

        return errors.None ? zone : null;
    }

    private static string? Contents(string field, ZoneName name, ZoneRequest zone, Zone? served, InputErrors errors)
    {
        if (zone.Records is not null)
        {
            if (zone.File is not null)
            {
                errors.Add($"{field}.records", "cannot be combined with file: give one of them");
                return null;
            }

            var written = ZoneRecords.File(field, name, zone, served?.File, errors);
            if (written?.Length > LongestZoneFile)
            {
                errors.Add($"{field}.records", $"make a zone file of more than {LongestZoneFile / 1024 / 1024} MiB");
            }

            return written;
        }

        if (string.IsNullOrWhiteSpace(zone.File) || Encoding.UTF8.GetByteCount(zone.File) > LongestZoneFile || zone.File.Contains('\0'))
        {
            errors.Add($"{field}.file", $"must be the text of a zone file (or give records), at most {LongestZoneFile / 1024 / 1024} MiB, without NUL characters");
        }
        else if (Including(zone.File) is { } line)
        {
            errors.Add($"{field}.file", $"must hold all of the zone, and line {line} includes another file ($INCLUDE): put its records there");
        }

        return zone.File;
    }

    private static RemoteServer[] Remotes(string field, IReadOnlyList<RemoteServer> asked, InputErrors errors)
    {
        Limit(field, asked.Count, MostRemotes, "servers", errors);
        List<RemoteServer> all = [];
        foreach (var (index, remote) in asked.Take(MostRemotes).Index())
        {
            var key = KeyName($"{field}[{index}].key", remote?.Key, errors);
            if (!ListenAddress.TryAddress(remote?.Address, out var address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            {
                errors.Add($"{field}[{index}].address", "must be the IP address of a DNS server, as in 192.0.2.1 or 2001:db8::1");
            }
            else if (remote!.Port is < 1 or > 65535)
            {
                errors.Add($"{field}[{index}].port", "must be a number from 1 to 65535");
            }
            else
            {
                all.Add(new RemoteServer(address.ToString(), remote.Port) { Key = key });
            }
        }

        return [.. all.Distinct()];
    }

    private static TransferRule[] Rules(string field, IReadOnlyList<TransferRule> asked, InputErrors errors)
    {
        Limit(field, asked.Count, MostRules, "rules", errors);
        List<TransferRule> all = [];
        foreach (var (index, rule) in asked.Take(MostRules).Index())
        {
            var key = KeyName($"{field}[{index}].key", rule?.Key, errors);
            if (rule is null or { Address: null, Key: null })
            {
                errors.Add($"{field}[{index}]", "must have an address or a key, or both; who may be anybody is asked for with 0.0.0.0/0 and ::/0");
            }
            else if (rule.Address is not null && !Transfer.TryNetwork(rule.Address, out _))
            {
                errors.Add($"{field}[{index}].address", "must be an IP address, or a network without host bits as in 192.0.2.0/24");
            }
            else
            {
                all.Add(new TransferRule(rule.Address, key));
            }
        }

        return [.. all.Distinct()];
    }

    private static void Limit(string field, int count, int most, string what, InputErrors errors)
    {
        if (count > most)
        {
            errors.Add(field, $"must be at most {most} {what}");
        }
    }

    private static string? KeyName(string field, string? text, InputErrors errors)
    {
        if (text is null)
        {
            return null;
        }

        if (ZoneName.TryParse(text, out var name, out _))
        {
            return name.Value;
        }

        errors.Add(field, "must be the name of a key, of letters, digits, '-', '_' and dots, as in xfr.example.org");
        return null;
    }

    /// <summary>The keys that the zones name: those that are given, and of the rest what the server has.</summary>
    public static TsigKey[] Keys(IReadOnlyList<TsigKey>? asked, IReadOnlyList<Zone> zones, DnsConfiguration? served, InputErrors errors)
    {
        Limit("keys", asked?.Count ?? 0, MostKeys, "keys", errors);
        var known = served?.Keys.ToDictionary(k => k.Name!) ?? [];
        var given = new HashSet<string>();
        foreach (var (index, key) in (asked ?? []).Take(MostKeys).Index())
        {
            if (KeyName($"keys[{index}].name", key?.Name ?? "", errors) is not { } name)
            {
                continue;
            }

            if (!given.Add(name))
            {
                errors.Add($"keys[{index}].name", $"is given twice: {name}");
            }
            else if (Key($"keys[{index}]", name, key!, known.GetValueOrDefault(name), errors) is { } read)
            {
                known[name] = read;
            }
        }

        if (!errors.None)
        {
            return [];
        }

        var named = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var zone in zones)
        {
            foreach (var key in zone.KeyNames)
            {
                named.TryAdd(key, zone.Name);
            }
        }

        foreach (var (key, zone) in named.Where(n => !known.ContainsKey(n.Key)))
        {
            errors.Add("keys", $"must have {key}, which {zone} names");
        }

        foreach (var key in given.Where(g => !named.ContainsKey(g)))
        {
            errors.Add("keys", $"has {key}, which no zone names");
        }

        return [.. named.Keys.Where(known.ContainsKey).Select(k => known[k])];
    }

    private static TsigKey? Key(string field, string name, TsigKey asked, TsigKey? served, InputErrors errors)
    {
        var algorithm = asked.Algorithm ?? TsigKey.DefaultAlgorithm;
        if (asked.Secret is null && served is not null && served.Algorithm == algorithm)
        {
            return served;
        }

        var bytes = new byte[LongestSecret];
        if (!TsigKey.Algorithms.Contains(algorithm))
        {
            errors.Add($"{field}.algorithm", $"must be one of {string.Join(", ", TsigKey.Algorithms)}");
        }
        else if (asked.Secret is null || !Convert.TryFromBase64String(asked.Secret, bytes, out var length) || length < ShortestSecret)
        {
            errors.Add($"{field}.secret", $"must be Base64 of {ShortestSecret} to {LongestSecret} bytes");
        }
        else
        {
            return new TsigKey(name, algorithm, Convert.ToBase64String(bytes.AsSpan(0, length)));
        }

        return null;
    }

    /// <summary>The first line with which Knot would read a file of its own container into the zone. Lines as they are written to the host.</summary>
    private static int? Including(string zone)
    {
        var number = 0;
        foreach (var line in zone.EnumerateLines())
        {
            number++;
            if (line.TrimStart().StartsWith("$INCLUDE", StringComparison.OrdinalIgnoreCase))
            {
                return number;
            }
        }

        return null;
    }

    public static ListenRequest[] Listen(IReadOnlyList<ListenRequest> asked, InputErrors errors)
    {
        if (asked.Count is 0 or > 64)
        {
            errors.Add("listen", "must name 1 to 64 addresses");
        }

        foreach (var (index, listen) in asked.Take(64).Index())
        {
            try
            {
                ListenAddress.Parse(listen?.Address, listen?.Port ?? 0, $"listen[{index}]");
            }
            catch (InvalidInputException e)
            {
                errors.Add(e);
            }
        }

        return [.. asked];
    }

    /// <summary>A zone that is served goes only when somebody says so.</summary>
    public static void KeepsZones(string field, string server, DnsConfiguration current, IReadOnlyList<Zone> wanted, InputErrors errors) =>
        Keeps(field, server, [.. current.Zones.Select(z => z.Name).Except(wanted.Select(z => z.Name))], "Give their zone files too, or say that they may go: dropZones (msctl: --drop-zones)", errors);

    /// <summary>A zone that is signed stays so, and here, until somebody says otherwise: who finds its key in the parent zone takes no answer that is not signed with it.</summary>
    public static void KeepsDnssec(string field, string server, DnsConfiguration current, IReadOnlyList<Zone> wanted, InputErrors errors)
    {
        List<string> unsigned = [.. current.Zones.Where(z => z.Dnssec).Select(z => z.Name).Except(wanted.Where(z => z.Dnssec).Select(z => z.Name))];
        if (unsigned.Count > 0)
        {
            errors.Add(field, $"would no longer sign {Some(unsigned)}, which {server} signs now. While the parent zone has a DS, nobody who validates could resolve it: take the DS away there, wait until it is forgotten, and say so: dropDnssec (msctl: --drop-dnssec)");
        }
    }

    /// <summary>A subnet that is served goes only when somebody says so.</summary>
    public static void KeepsSubnets(string field, string server, IReadOnlyList<string> current, IReadOnlyList<string> wanted, InputErrors errors) =>
        Keeps(field, server, [.. current.Except(wanted)], "Put them into the document too, or say that they may go: dropSubnets (msctl: --drop-subnets)", errors);

    private static void Keeps(string field, string server, List<string> dropped, string how, InputErrors errors)
    {
        if (dropped.Count > 0)
        {
            errors.Add(field, $"would no longer serve {Some(dropped)}, which {server} serves now. {how}");
        }
    }

    private static string Some(List<string> names) => $"{string.Join(", ", names.Take(10))}{(names.Count > 10 ? $" and {names.Count - 10} more" : "")}";
}
