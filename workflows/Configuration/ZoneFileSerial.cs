using System.Globalization;

namespace ManagedServers.Workflows.Configuration;

/// <summary>Finds the serial in the text of a zone file: it tells what to expect on the wire.</summary>
public static class ZoneFileSerial
{
    /// <summary>Null when there is no SOA that can be made out.</summary>
    public static long? Of(string zone) => ZoneFile.Entries(zone, ".").Where(e => e.Type == "SOA")
        .Select(e => e.Data.Count > 2 && uint.TryParse(e.Data[2], NumberStyles.None, CultureInfo.InvariantCulture, out var serial) ? serial : (long?)null).FirstOrDefault(s => s is not null);
}
