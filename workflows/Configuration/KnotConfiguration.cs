using System.Security.Cryptography;
using System.Text;

namespace ManagedServers.Workflows.Configuration;

/// <summary>
/// Knot's configuration file for a list of zones. A pure function of types that cannot hold a quote, a line end or a space,
/// so that no name can become a setting. Paths are those inside the container.
/// </summary>
public static class KnotConfiguration
{
    public const string ControlSocket = "/run/knot/knot.sock";
    public const string TapSocket = "/run/tap/tap.sock";
    public const string ZoneFolder = "/etc/knot/zones";

    /// <summary>Zones and addresses are sorted and written once each: the same wish gives the same bytes.</summary>
    public static string Render(IEnumerable<ZoneName> zones, IEnumerable<ListenAddress> listen)
    {
        var text = new StringBuilder();
        foreach (var line in Fixed(listen.Select(l => l.ToString()).Distinct().Order(StringComparer.Ordinal)))
        {
            text.Append(line).Append('\n');
        }

        foreach (var zone in zones.Distinct().Order())
        {
            text.Append("  - domain: ").Append(zone.Absolute).Append('\n');
            if (!IsPlain(zone))
            {
                text.Append("    file: \"").Append(ZoneFile(zone)).Append("\"\n");
            }
        }

        return text.ToString();
    }

    // A file's name has at most 255 bytes, and a zone's may have nearly as many.
    private const int LongestPlainName = 200;

    /// <summary>Where <see cref="Render"/> expects a zone's file, below the zone folder.</summary>
    public static string ZoneFile(ZoneName zone) => (IsPlain(zone) ? zone.Value
        : $"{zone.Value[..Math.Min(zone.Value.Length, LongestPlainName)].Replace('/', '_')}+{Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(zone.Value)))[..16]}") + ".zone";

    // A slash would be a folder. No zone has a plus in its name, so that no other one has the file.
    private static bool IsPlain(ZoneName zone) => zone.Value.Length <= LongestPlainName && !zone.Value.Contains('/', StringComparison.Ordinal);

    private static IEnumerable<string> Fixed(IEnumerable<string> listen) =>
    [
        "# Written by Managed Servers; changes made by hand are lost with the next one.",
        "server:",
        // The PID file's folder must be empty at each start (a tmpfs): in a container Knot is always process 1, takes a PID file that
        // kill -9 left for a running server, and would never start again.
        "    rundir: /tmp",
        .. listen.Select(address => $"    listen: {address}"),
        // Two instances may share the port for a moment: an upgrade that drops nothing needs it.
        "    tcp-reuseport: on",
        // Who asks for version.bind or id.server is told nothing.
        "    version: \"\"",
        "    identity: \"\"",
        "    nsid: \"\"",
        // A managed host may be small: two threads answer about 80,000 queries a second, each one more costs memory for its sockets.
        "    udp-workers: 2",
        "    tcp-workers: 2",
        "    background-workers: 1",
        "    tcp-max-clients: 200",
        "    tcp-idle-timeout: 5",
        "log:",
        "  - target: stderr",
        "    any: info",
        "control:",
        $"    listen: {ControlSocket}",
        "    timeout: 10",
        "database:",
        "    storage: /var/lib/knot",
        // Bytes of address space, not of memory; the defaults (20 GiB for the journal) are refused where a container's address space is limited.
        "    journal-db-max-size: 100M",
        "    kasp-db-max-size: 50M",
        "    timer-db-max-size: 20M",
        "    catalog-db-max-size: 20M",
        "mod-stats:",
        "  - id: default",
        "    request-protocol: on",
        "    server-operation: on",
        "    response-code: on",
        "    query-type: on",
        "    edns-presence: off",
        "    flag-presence: off",
        "    request-bytes: off",
        "    response-bytes: off",
        "mod-dnstap:",
        "  - id: default",
        $"    sink: unix:{TapSocket}",
        // Queries alone carry the names; responses would double the frames for nothing that the counters do not tell.
        "    log-queries: on",
        "    log-responses: off",
        "template:",
        "  - id: default",
        "    global-module: [ mod-stats/default, mod-dnstap/default ]",
        "    module: mod-stats/default",
        $"    storage: {ZoneFolder}",
        "    file: \"%s.zone\"",
        // Zone files are the product's and read-only: what is served is what is in the file, never a journal's idea of it.
        "    zonefile-sync: -1",
        "    zonefile-load: whole",
        "    journal-content: none",
        "    semantic-checks: on",
        "zone:",
    ];
}
