using System.Globalization;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <summary>What differs from one family of systems to another.</summary>
internal static class SystemChecks
{
    public const int DnsPort = 53;
    public const int DhcpPort = 67;

    /// <summary>To be pasted as root.</summary>
    public const string SwitchOffResolved = "mkdir -p /etc/systemd/resolved.conf.d; printf '[Resolve]\\nDNSStubListener=no\\n' > /etc/systemd/resolved.conf.d/managed-servers.conf; "
        + "ln -sf /run/systemd/resolve/resolv.conf /etc/resolv.conf; systemctl restart systemd-resolved";

    /// <param name="kept">What it was when it was registered; null when nobody has looked.</param>
    public static Check System(HostFacts facts, OsFamily? kept)
    {
        var found = facts.SystemName;
        var known = "Debian, Ubuntu or the CentOS/RHEL family";
        return kept is { } was && was != facts.Family
            ? Check.Of("system", false, found, was.Name(), "Either this is another host than the one that was meant, or it was set up anew. Look; if it is the right one, let it be looked at anew: msctl servers edit NAME --os auto")
            : Check.Of("system", true, facts.Family == OsFamily.Other ? $"{found}, which is none of these; it may work nevertheless" : found, known, "");
    }

    /// <summary>Null where there is none. Docker labels the mounted folders for its containers, so every mode will do.</summary>
    public static Check? SELinux(HostFacts facts) => facts.SELinux is { } mode
        ? Check.Of("selinux", true, $"{mode}{(mode == "disabled" ? "" : "; the product's folders are labelled for containers")}", "any mode", "")
        : null;

    /// <summary>Null where no firewall is at work, or where the login may not look.</summary>
    /// <param name="ports">What must be let in from outside, and how the firewall's own service for it is called.</param>
    public static Check? Firewall(HostFacts facts, string service, IReadOnlyList<(int Port, string Protocol)> ports)
    {
        if (facts is not { Firewall: { } firewall, FirewallOpens: { } opens } || ports.Count == 0)
        {
            return null;
        }

        var usual = ports.All(p => p.Port is DnsPort or DhcpPort);
        var closed = ports.Where(p => !opens.Any(o => IsOpen(o, service, usual, p))).Select(Words).ToList();
        return Check.Of("firewall", closed.Count == 0, closed.Count == 0 ? $"{firewall} lets {service.ToUpperInvariant()} in" : $"{firewall} keeps out {string.Join(" and ", closed)}",
            $"{string.Join(" and ", ports.Select(Words))} open", Fix(firewall, service, usual, ports)) with { Mendable = true };
    }

    /// <summary>How port 53 is freed, where it is systemd's own resolver that holds it, and the host can go on resolving names.</summary>
    public static string FreeFromResolved(IReadOnlyList<string> addresses)
    {
        var own = addresses.FirstOrDefault(a => !a.StartsWith("127.", StringComparison.Ordinal) && !a.Contains(':', StringComparison.Ordinal));
        return $"Switch off its listener, as root: {SwitchOffResolved}"
            + (own is null ? "" : $"  (or leave it alone, and let DNS listen on {own} only)");
    }

    private static bool IsOpen(string opened, string service, bool usual, (int Port, string Protocol) wanted)
    {
        var number = wanted.Port.ToString(CultureInfo.InvariantCulture);
        return opened == number || opened == $"{number}/{wanted.Protocol}" || (usual && opened.Equals(service, StringComparison.OrdinalIgnoreCase)) || InRange(opened, wanted);
    }

    // firewalld writes 50-60/udp, ufw 50:60/udp.
    private static bool InRange(string opened, (int Port, string Protocol) wanted) =>
        opened.Split('/') is [var range, var protocol] && protocol == wanted.Protocol && range.Split('-', ':') is [var from, var to]
        && int.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out var first) && int.TryParse(to, NumberStyles.None, CultureInfo.InvariantCulture, out var last)
        && wanted.Port >= first && wanted.Port <= last;

    private static string Fix(string firewall, string service, bool usual, IReadOnlyList<(int Port, string Protocol)> ports) => (firewall, usual) switch
    {
        ("ufw", _) => string.Join("; ", ports.Select(p => $"ufw allow {p.Port}/{p.Protocol}")),
        (_, true) => $"firewall-cmd --permanent --add-service={service}; firewall-cmd --reload",
        _ => $"firewall-cmd --permanent {string.Join(' ', ports.Select(p => $"--add-port={p.Port}/{p.Protocol}"))}; firewall-cmd --reload",
    };

    private static string Words((int Port, string Protocol) port) => $"{port.Protocol.ToUpperInvariant()} port {port.Port}";
}
