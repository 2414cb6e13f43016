using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>Where everything of the product lies on a managed host.</summary>
internal static class HostLayout
{
    public const string Root = "/var/lib/managed-servers";

    /// <summary>Mounted read-only where the component reads its configuration. Holds one folder for each configuration, and links to the current one.</summary>
    public static string Config(string component) => $"{Root}/{component}/config";

    /// <summary>What the component keeps: Knot's databases, Kea's leases.</summary>
    public static string Data(string component) => $"{Root}/{component}/data";

    /// <summary>The component's control socket.</summary>
    public static string Sockets(string component) => $"{Root}/{component}/run";

    /// <summary>The folder of the dnstap socket.</summary>
    public const string Tap = Root + "/tap";

    /// <summary>Where the monitor listens and Knot connects to; in their containers below /run/tap.</summary>
    public const string TapSocket = Tap + "/tap.sock";

    public const string Monitor = Root + "/monitor";
    public const string Agent = Root + "/agent";

    public const UnixFileMode PrivateFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    public const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>All that the product keeps under <see cref="Root"/>.</summary>
    public static readonly IReadOnlyList<string> All = [.. Component.Serving.Select(c => $"{Root}/{c}"), Tap, Monitor, Agent, Root + "/commands"];

    /// <summary>Parents before children.</summary>
    public static IReadOnlyList<string> Folders(IReadOnlyList<string> components) =>
    [
        Root,
        .. Component.Serving.Where(components.Contains).SelectMany(c => new[] { $"{Root}/{c}", Config(c), Data(c), Sockets(c) }),
        .. components.Contains(Component.Dns) ? [Tap] : Array.Empty<string>(),
        .. components.Contains(Component.Monitor) ? [Monitor] : Array.Empty<string>(),
        Agent,
    ];
}

/// <summary>The words for components.</summary>
public static class Component
{
    public const string Dns = "dns";
    public const string Dhcp = "dhcp";
    public const string Monitor = "monitor";

    /// <summary>Those that serve somebody, and are configured for it.</summary>
    public static readonly IReadOnlyList<string> Serving = [Dns, Dhcp];

    /// <summary>In the order in which they are started: the monitor makes the socket to which Knot connects.</summary>
    public static readonly IReadOnlyList<string> All = [Monitor, Dns, Dhcp];

    public static string ContainerName(string component) => "managed-servers-" + component;
}
