using System.Reflection;

namespace ManagedServers.Workflows.Commands;

/// <summary>The commands that come with the product. They change with it alone, so an operator's change is never overwritten: it is a copy under a name of its own.</summary>
internal static class BuiltInCommands
{
    private static readonly string[] BeforeServing = ["pre-install", "pre-start"];
    private static readonly string[] BeforeChanges = ["pre-install", "pre-apply"];
    private static readonly string[] AfterServing = ["post-install", "post-start", "post-restart", "post-apply"];

    public static readonly IReadOnlyList<CatalogueCommand> All =
    [
        Of("free port 53", "Takes port 53 from systemd-resolved, which goes on resolving names for the host itself", "free-port-53", BeforeServing, 60),
        Of("stop other DNS servers", "Stops and disables DNS servers that run as services of the host: BIND, Unbound, dnsmasq, PowerDNS, NSD, Knot", "stop-other-dns", BeforeServing, 120),
        Of("open firewall for DNS", "Lets in port 53, UDP and TCP, by firewalld, ufw, iptables or nftables, whichever is at work", "open-firewall", [.. BeforeServing, "post-install"], 60, "PORTS='53/udp 53/tcp'\n"),
        Of("open firewall for DHCP", "Lets in port 67, UDP, by firewalld, ufw, iptables or nftables, whichever is at work", "open-firewall", [.. BeforeServing, "post-install"], 60, "PORTS=67/udp\n"),
        Of("back up the product's folder", "Keeps configuration, zones and leases as an archive on the host, the five newest of them", "back-up-folder", [.. BeforeChanges, "pre-uninstall"], 600),
        Of("wait for mounts", "Waits until everything in /etc/fstab is mounted", "wait-for-mounts", [.. BeforeServing, "pre-restart"], 300),
        Of("wait for the network", "Waits until the host reaches the product's address", "wait-for-network", ["pre-install"], 300),
        Of("check free disk", "Fails where less than 1 GiB is free for Docker or for the product", "check-free-disk", BeforeChanges, 60),
        Of("synchronise the clock", "Has chrony or systemd keep the time, and waits until the clock is right", "synchronise-clock", BeforeServing, 120),
        Of("flush connections", "Forgets what the kernel remembers of questions to port 53 (needs the command conntrack)", "flush-connections", ["post-install", "post-start", "post-stop", "post-uninstall"], 30, failure: CommandFailure.Continue),
        Of("ask DNS", "Asks each address on which DNS listens, from the host itself; a failure takes the change back", "ask-dns", AfterServing, 60, failure: CommandFailure.Undo),
    ];

    public static CatalogueCommand? Find(string name) => All.FirstOrDefault(c => string.Equals(c.Name, name, StringComparison.OrdinalIgnoreCase));

    // Each looks before it acts, so that all of them may be run again.
    private static CatalogueCommand Of(string name, string description, string file, IReadOnlyList<string> uses, int seconds, string head = "", CommandFailure failure = CommandFailure.Pause) => new()
    {
        Name = name, Description = description, Text = head + Script(file), TimeoutSeconds = seconds, SuccessCodes = [0], AsRoot = true, Repeatable = true, Uses = uses, OnFailure = failure, BuiltIn = true,
    };

    private static string Script(string file)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"ManagedServers.Workflows.Commands.BuiltIn.{file}.sh")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
