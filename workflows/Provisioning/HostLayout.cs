using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>Where everything of the product lies on a managed host.</summary>
internal static class HostLayout
{
    public const string Root = "/var/lib/managed-servers";

    /// <summary>Mounted read-only at /etc/knot. Holds one folder for each configuration, and links to the current one.</summary>
    public const string DnsConfig = Root + "/dns/config";

    public const string DnsData = Root + "/dns/data";

    /// <summary>Knot's control socket.</summary>
    public const string DnsRun = Root + "/dns/run";

    /// <summary>The folder of the dnstap socket.</summary>
    public const string Tap = Root + "/tap";

    /// <summary>Where the monitor listens and Knot connects to; in their containers below /run/tap.</summary>
    public const string TapSocket = Tap + "/tap.sock";

    public const string Monitor = Root + "/monitor";
    public const string Agent = Root + "/agent";

    public const UnixFileMode PrivateFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    public const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>All that the product keeps under <see cref="Root"/>.</summary>
    public static readonly IReadOnlyList<string> All = [Root + "/dns", Tap, Monitor, Agent, Root + "/commands"];

    /// <summary>Parents before children.</summary>
    public static IReadOnlyList<string> Folders(IReadOnlyList<string> components) =>
    [
        Root,
        .. components.Contains(Component.Dns) ? [Root + "/dns", DnsConfig, DnsData, DnsRun, Tap] : Array.Empty<string>(),
        .. components.Contains(Component.Monitor) ? [Monitor] : Array.Empty<string>(),
        Agent,
    ];
}

/// <summary>The words for components.</summary>
public static class Component
{
    public const string Dns = "dns";
    public const string Monitor = "monitor";

    public static string ContainerName(string component) => "managed-servers-" + component;
}
