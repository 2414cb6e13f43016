using System.Text;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Configuration;

/// <summary>The rules for what operators want to be served, whichever way they ask for it.</summary>
internal static class ConfigurationChecks
{
    private const int MostZones = 10_000;
    private const int LongestZoneFile = 8 * 1024 * 1024;

    /// <param name="served">What is served now, whose serials go on; null where nothing is.</param>
    public static Zone[] Zones(string field, IReadOnlyList<ZoneRequest> asked, DnsConfiguration? served, InputErrors errors)
    {
        if (asked.Count is 0 or > MostZones)
        {
            errors.Add(field, $"must name 1 to {MostZones} zones: a DNS server without one serves nobody");
        }

        var names = new HashSet<string>();
        var former = served?.Zones.ToDictionary(z => z.Name, z => z.File) ?? [];
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
            else if (zone!.Records is not null)
            {
                if (zone.File is not null)
                {
                    errors.Add($"{field}[{index}].records", "cannot be combined with file: give one of them");
                }
                else if (ZoneRecords.File($"{field}[{index}]", name, zone, former.GetValueOrDefault(name.Value), errors) is { } written)
                {
                    Add(index, name, written);
                }
            }
            else if (string.IsNullOrWhiteSpace(zone.File) || Encoding.UTF8.GetByteCount(zone.File) > LongestZoneFile || zone.File.Contains('\0'))
            {
                errors.Add($"{field}[{index}].file", $"must be the text of a zone file (or give records), at most {LongestZoneFile / 1024 / 1024} MiB, without NUL characters");
            }
            else if (Including(zone.File) is { } line)
            {
                errors.Add($"{field}[{index}].file", $"must hold all of the zone, and line {line} includes another file ($INCLUDE): put its records there");
            }
            else
            {
                Add(index, name, zone.File);
            }
        }

        return [.. zones];

        void Add(int index, ZoneName name, string file)
        {
            if (file.Length > LongestZoneFile)
            {
                errors.Add($"{field}[{index}].records", $"make a zone file of more than {LongestZoneFile / 1024 / 1024} MiB");
            }

            zones.Add(new Zone(name.Value, file));
        }
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

    /// <summary>A subnet that is served goes only when somebody says so.</summary>
    public static void KeepsSubnets(string field, string server, IReadOnlyList<string> current, IReadOnlyList<string> wanted, InputErrors errors) =>
        Keeps(field, server, [.. current.Except(wanted)], "Put them into the document too, or say that they may go: dropSubnets (msctl: --drop-subnets)", errors);

    private static void Keeps(string field, string server, List<string> dropped, string how, InputErrors errors)
    {
        if (dropped.Count > 0)
        {
            errors.Add(field, $"would no longer serve {string.Join(", ", dropped.Take(10))}{(dropped.Count > 10 ? $" and {dropped.Count - 10} more" : "")}, which {server} serves now. {how}");
        }
    }
}
