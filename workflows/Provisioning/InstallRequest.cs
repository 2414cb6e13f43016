using System.Text.Json;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>What an operator wants on a server.</summary>
public sealed record InstallRequest
{
    /// <summary>Default: what is configured here, dns with its monitor. Others that the server has stay as they are.</summary>
    public IReadOnlyList<string>? Components { get; init; }
    public IReadOnlyList<ZoneRequest>? Zones { get; init; }

    /// <summary>Zones that the server serves now and that are not named here may go.</summary>
    public bool DropZones { get; init; }

    /// <summary>Default: every IPv4 address, port 53.</summary>
    public IReadOnlyList<ListenRequest>? Listen { get; init; }

    /// <summary>Kea's <c>Dhcp4</c> document. Socket, leases, log and hooks are the product's to set. Default: what the server's DHCP serves now.</summary>
    public JsonElement? Dhcp { get; init; }

    /// <summary>Subnets that the server serves now and that are not in the document may go.</summary>
    public bool DropSubnets { get; init; }

    /// <summary>Default: those that are chosen for the server.</summary>
    public IReadOnlyList<CommandRequest>? PreCommands { get; init; }

    /// <summary>Default: those that are chosen for the server.</summary>
    public IReadOnlyList<CommandRequest>? PostCommands { get; init; }
}

/// <param name="File">The zone file's text.</param>
public sealed record ZoneRequest(string? Name, string? File);

public sealed record ListenRequest(string? Address, int Port = 53);

/// <summary>A command of the catalogue, by its name alone, or an operator's own for this once.</summary>
public sealed record CommandRequest
{
    public string? Name { get; init; }

    /// <summary>Run by <c>sh</c> on the host, verbatim. Without it the name is one of the catalogue's, and everything else is as it stands there.</summary>
    public string? Command { get; init; }
    public int TimeoutSeconds { get; init; } = 300;

    /// <summary>It may be run again when nobody knows how far it came. Otherwise the run pauses and asks.</summary>
    public bool Repeatable { get; init; }

    /// <summary>Run as root, or as the user who logs in.</summary>
    public bool AsRoot { get; init; } = true;
}
