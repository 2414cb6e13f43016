using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace ManagedServers.Workflows.Configuration;

/// <summary>
/// Knot's configuration file for a list of zones. A pure function of types that cannot hold a quote, a line end or a space,
/// so that no name can become a setting. Paths are those inside the container.
/// </summary>
internal static class KnotConfiguration
{
    public const string ControlSocket = "/run/knot/knot.sock";
    public const string TapSocket = "/run/tap/tap.sock";
    public const string ZoneFolder = "/etc/knot/zones";
    public const string FileName = "knot.conf";

    /// <summary>A file of its own: what is in it is shown to nobody.</summary>
    public const string KeyFile = "keys.conf";

    // Knot makes it.
    private const string SecondaryFolder = "/var/lib/knot/secondary";

    /// <summary>Zones and addresses are sorted and written once each: the same wish gives the same bytes.</summary>
    /// <param name="hasKeys">There is a <see cref="KeyFile"/> beside it.</param>
    public static string Render(IEnumerable<ServedZone> zones, IEnumerable<ListenAddress> listen, bool hasKeys = false)
    {
        List<ServedZone> all = [.. zones.DistinctBy(z => z.Name).OrderBy(z => z.Name)];
        var remotes = Numbered(all.SelectMany(z => z.Primaries.Concat(z.Notify)), r => $"{r.At} {r.Key}");
        var rules = Numbered(all.SelectMany(Rules), r => $"{r.Action} {r.From} {r.Key}");
        List<string> lines =
        [
            .. Fixed(listen.Select(l => l.ToString()).Distinct().Order(StringComparer.Ordinal)),
            .. hasKeys ? [$"include: {KeyFile}"] : Array.Empty<string>(),
            .. Section("remote:", remotes, (remote, number) => [$"  - id: remote-{number}", $"    address: {remote.At}", .. Key(remote.Key)]),
            .. Section("acl:", rules, (rule, number) => [$"  - id: rule-{number}", .. rule.From is { } from ? [$"    address: {Network(from)}"] : Array.Empty<string>(), .. Key(rule.Key), $"    action: {rule.Action}"]),
            .. all.Any(z => z.Dnssec) ? Signing : [],
            .. Template,
            "zone:",
            .. all.SelectMany(zone => Zone(zone, remotes, rules)),
        ];
        return string.Join('\n', lines) + "\n";
    }

    public static string RenderKeys(IEnumerable<ServedKey> keys) => string.Join('\n',
    [
        "key:",
        .. keys.OrderBy(k => k.Name).SelectMany(k => new[] { $"  - id: {k.Name.Absolute}", $"    algorithm: {k.Algorithm}", $"    secret: {Convert.ToBase64String(k.Secret)}" }),
    ]) + "\n";

    /// <summary>The program and its arguments with which Knot reads a configuration and all zone files. A secondary zone has none yet, and Knot would take that for an error.</summary>
    public static string[] Check(DnsConfiguration dns)
    {
        string[] program = ["/usr/sbin/knotc", "-c", $"/etc/knot/{FileName}"];
        return !dns.Zones.Any(z => z.IsSecondary) ? [.. program, "zone-check"]
            : dns.Zones.All(z => z.IsSecondary) ? [.. program, "conf-check"]
            : [.. program, "zone-check", .. dns.Zones.Where(z => !z.IsSecondary).Select(z => ZoneName.Parse(z.Name).Absolute)];
    }

    /// <summary>The program and its arguments that ask the running Knot; in its container.</summary>
    public static string[] Control(params IEnumerable<string> command) => ["/usr/sbin/knotc", "-s", ControlSocket, .. command];

    private static IEnumerable<string> Zone(ServedZone zone, Dictionary<Remote, int> remotes, Dictionary<Rule, int> rules)
    {
        yield return $"  - domain: {zone.Name.Absolute}";
        if (zone.IsSecondary)
        {
            yield return $"    file: \"{SecondaryFile(zone)}\"";
        }
        else if (!IsPlain(zone.Name))
        {
            yield return $"    file: \"{ZoneFile(zone.Name)}\"";
        }

        foreach (var line in List("master", zone.Primaries.Select(p => $"remote-{remotes[p]}"))
            .Concat(List("notify", zone.Notify.Select(n => $"remote-{remotes[n]}")))
            .Concat(List("acl", Rules(zone).Select(r => rules[r]).Distinct().Order().Select(n => $"rule-{n}"))))
        {
            yield return line;
        }

        if (zone.IsSecondary)
        {
            // Kept as its own file, and not in the journal: a zone that was signed here before has its history there.
            yield return $"    storage: {SecondaryFolder}";
            yield return "    zonefile-sync: 0";
        }
        else if (zone.Dnssec || zone.WasSigned)
        {
            if (zone.Dnssec)
            {
                yield return "    dnssec-signing: on";
                yield return "    dnssec-policy: signing";
            }

            // Signatures are renewed without a new zone file: what was answered last is in the journal, and serials go on from there whatever the file says.
            yield return "    zonefile-load: difference-no-serial";
            yield return "    journal-content: all";
        }
    }

    /// <summary>Whoever is told of changes may fetch them, and a primary may tell.</summary>
    private static IEnumerable<Rule> Rules(ServedZone zone) =>
    [
        .. zone.Primaries.Select(p => new Rule("notify", Transfer.Only(p.At.Address), p.Key)),
        .. zone.Notify.Select(n => new Rule("transfer", Transfer.Only(n.At.Address), n.Key)),
        .. zone.AllowTransfer.Select(t => new Rule("transfer", t.From, t.Key)),
    ];

    private static Dictionary<T, int> Numbered<T>(IEnumerable<T> all, Func<T, string> sort) where T : notnull =>
        all.Distinct().OrderBy(sort, StringComparer.Ordinal).Index().ToDictionary(i => i.Item, i => i.Index + 1);

    private static IEnumerable<string> Section<T>(string title, Dictionary<T, int> entries, Func<T, int, IEnumerable<string>> lines) where T : notnull =>
        entries.Count == 0 ? [] : [title, .. entries.SelectMany(e => lines(e.Key, e.Value))];

    private static IEnumerable<string> List(string setting, IEnumerable<string> ids) => string.Join(", ", ids) is { Length: > 0 } all ? [$"    {setting}: [ {all} ]"] : [];

    private static IEnumerable<string> Key(ZoneName? key) => key is { } name ? [$"    key: {name.Absolute}"] : [];

    private static string Network(IPNetwork network) => network.Equals(Transfer.Only(network.BaseAddress)) ? network.BaseAddress.ToString() : network.ToString();

    // A file's name has at most 255 bytes, and a zone's may have nearly as many.
    private const int LongestPlainName = 200;

    /// <summary>Where <see cref="Render"/> expects a zone's file, below the zone folder.</summary>
    public static string ZoneFile(ZoneName zone) => (IsPlain(zone) ? zone.Value
        : $"{zone.Value[..Math.Min(zone.Value.Length, LongestPlainName)].Replace('/', '_')}+{Hash(zone.Value)[..16]}") + ".zone";

    /// <summary>What came from other servers is never served as theirs.</summary>
    private static string SecondaryFile(ServedZone zone) =>
        $"{Path.GetFileNameWithoutExtension(ZoneFile(zone.Name))}+{Hash(string.Join(' ', zone.Primaries.Select(p => p.At.ToString()).Order(StringComparer.Ordinal)))[..8]}.zone";

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)));

    // A slash would be a folder. No zone has a plus in its name, so that no other one has the file.
    private static bool IsPlain(ZoneName zone) => zone.Value.Length <= LongestPlainName && !zone.Value.Contains('/', StringComparison.Ordinal);

    private sealed record Rule(string Action, IPNetwork? From, ZoneName? Key);

    // Knot's own keys: one that signs keys, which the operator's parent zone must be told of, and one that signs the rest and is changed by itself.
    private static readonly string[] Signing =
    [
        "policy:",
        "  - id: signing",
        "    algorithm: ecdsap256sha256",
        // What the parent zone is to have can be asked of the server itself (CDS, RFC 7344).
        "    cds-cdnskey-publish: always",
    ];

    private static readonly string[] Template =
    [
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
    ];

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
        "    journal-db-max-size: 500M",
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
    ];
}
