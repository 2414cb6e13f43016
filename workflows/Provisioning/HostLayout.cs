using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>Where everything of the product lies on a managed host.</summary>
internal sealed class HostLayout(HostLogin login)
{
    public const UnixFileMode PrivateFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    public const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string root = login.Folder;

    public static HostLayout Of(IHost host) => new(host.Target.Login);

    public string Root => root;

    public HostLogin Login => login;

    /// <summary>The folder of the dnstap socket.</summary>
    public string Tap => $"{root}/tap";

    /// <summary>Where the monitor listens and Knot connects to; in their containers below /run/tap.</summary>
    public string TapSocket => $"{Tap}/tap.sock";

    public string Monitor => $"{root}/monitor";

    public string Agent => $"{root}/agent";

    public string AgentScript => $"{Agent}/agent.py";

    public string AgentConfiguration => $"{Agent}/agent.json";

    /// <summary>All that the product keeps under <see cref="Root"/>.</summary>
    public IReadOnlyList<string> All => [.. Component.Serving.Select(c => $"{root}/{c}"), Tap, Monitor, Agent, $"{root}/commands"];

    /// <summary>Mounted read-only where the component reads its configuration. Holds one folder for each configuration, and links to the current one.</summary>
    public string Config(string component) => $"{root}/{component}/config";

    /// <summary>What the component keeps: Knot's databases, Kea's leases.</summary>
    public string Data(string component) => $"{root}/{component}/data";

    /// <summary>The component's control socket.</summary>
    public string Sockets(string component) => $"{root}/{component}/run";

    /// <summary>Parents before children.</summary>
    public IReadOnlyList<string> Folders(IReadOnlyList<string> components) =>
    [
        root,
        .. Component.Serving.SelectMany(c => components.Contains(c) ? [$"{root}/{c}", Config(c), Data(c), Sockets(c)]
            // The monitor looks for both, also for one that comes later.
            : components.Contains(Component.Monitor) ? [$"{root}/{c}", Sockets(c)] : Array.Empty<string>()),
        .. components.Contains(Component.Dns) || components.Contains(Component.Monitor) ? [Tap] : Array.Empty<string>(),
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
