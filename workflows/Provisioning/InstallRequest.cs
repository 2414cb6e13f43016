using System.Text.Json;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Configuration;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>What an operator wants on a server.</summary>
public sealed record InstallRequest : CommandsRequest
{
    /// <summary>Default: what is configured here, dns with its monitor. Others that the server has stay as they are.</summary>
    public IReadOnlyList<string>? Components { get; init; }

    /// <summary>All that there are to be. Default: what the server's DNS serves now.</summary>
    public IReadOnlyList<ZoneRequest>? Zones { get; init; }

    /// <summary>Zones that the server serves now and that are not named here may go.</summary>
    public bool DropZones { get; init; }

    /// <summary>Zones that are signed now need be so no longer.</summary>
    public bool DropDnssec { get; init; }

    /// <summary>Keys that the zones name and the server does not have yet, or has with another secret. Those that no zone names any more are forgotten.</summary>
    public IReadOnlyList<TsigKey>? Keys { get; init; }

    /// <summary>Default: every IPv4 address, port 53; where no zones are given, as it listens now.</summary>
    public IReadOnlyList<ListenRequest>? Listen { get; init; }

    /// <summary><c>https</c> or <c>rabbitmq</c>: how the monitor sends what it counts. Default: as now, https at first.</summary>
    public string? Statistics { get; init; }

    /// <summary>Kea's <c>Dhcp4</c> document. Socket, leases, log and hooks are the product's to set. Default: what the server's DHCP serves now.</summary>
    public JsonElement? Dhcp { get; init; }

    /// <summary>Subnets that the server serves now and that are not in the document may go.</summary>
    public bool DropSubnets { get; init; }
}

/// <summary>A zone to serve: as a zone file, as records, or as a secondary. What is not named is as the server has it now.</summary>
/// <param name="File">The zone file's text.</param>
public sealed record ZoneRequest(string? Name, string? File = null)
{
    /// <summary>In place of contents: the zone is a secondary, and comes from the first of these that answers.</summary>
    public IReadOnlyList<RemoteServer>? Primaries { get; init; }

    /// <summary>Servers that are told of a new serial, and may transfer the zone.</summary>
    public IReadOnlyList<RemoteServer>? Notify { get; init; }

    /// <summary>Who else may transfer it. Default: nobody.</summary>
    public IReadOnlyList<TransferRule>? AllowTransfer { get; init; }

    /// <summary>Knot signs it, with keys that it makes itself. Default: it does not.</summary>
    public bool? Dnssec { get; init; }

    /// <summary>In place of a file: the product writes it, and raises its serial with every change.</summary>
    public IReadOnlyList<RecordRequest>? Records { get; init; }

    /// <summary>With <see cref="Records"/>: what the zone says of itself.</summary>
    public SoaRequest? Soa { get; init; }

    /// <summary>With <see cref="Records"/>: seconds for which each of them may be kept, where it says nothing else.</summary>
    public int Ttl { get; init; } = 3600;
}

/// <param name="Name">Below the zone, or absolute with a final dot; the zone itself if left out.</param>
/// <param name="Data">As a zone file has it after the type.</param>
public sealed record RecordRequest(string? Name, string? Type, string? Data)
{
    public int? Ttl { get; init; }

    /// <summary>In place of <see cref="Data"/>: texts as they are, for a TXT.</summary>
    public IReadOnlyList<string>? Text { get; init; }
}

/// <summary>Times are seconds.</summary>
public sealed record SoaRequest
{
    /// <summary>Default: the zone's first NS.</summary>
    public string? Primary { get; init; }

    /// <summary>Default: <c>hostmaster</c> in the zone.</summary>
    public string? Contact { get; init; }

    /// <summary>At least this: where a zone comes from another server, whose secondaries have that one's.</summary>
    public long? Serial { get; init; }
    public int Refresh { get; init; } = 7200;
    public int Retry { get; init; } = 900;
    public int Expire { get; init; } = 1_209_600;
    public int Minimum { get; init; } = 300;
}

public sealed record ListenRequest(string? Address, int Port = 53);
