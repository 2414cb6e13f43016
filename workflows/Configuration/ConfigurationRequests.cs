using System.Text.Json;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Provisioning;

namespace ManagedServers.Workflows.Configuration;

/// <summary>What an operator wants to be different about what a server serves; what is not named stays.</summary>
public sealed record ApplyRequest : CommandsRequest
{
    /// <summary>All zones that there are to be.</summary>
    public IReadOnlyList<ZoneRequest>? Zones { get; init; }

    /// <summary>Zones that are added, or take the place of those of their name.</summary>
    public IReadOnlyList<ZoneRequest>? SetZones { get; init; }

    /// <summary>Names of zones that go.</summary>
    public IReadOnlyList<string>? RemoveZones { get; init; }

    /// <summary>Zones that are served now and not among <see cref="Zones"/> may go.</summary>
    public bool DropZones { get; init; }

    /// <summary>Zones that are signed now need be so no longer.</summary>
    public bool DropDnssec { get; init; }

    /// <summary>Keys that the zones name and the server does not have yet, or has with another secret. Those that no zone names any more are forgotten.</summary>
    public IReadOnlyList<TsigKey>? Keys { get; init; }
    public IReadOnlyList<ListenRequest>? Listen { get; init; }

    /// <summary>Kea's whole <c>Dhcp4</c> document.</summary>
    public JsonElement? Dhcp { get; init; }

    /// <summary>Subnets that are served now and not in the document may go.</summary>
    public bool DropSubnets { get; init; }

    /// <summary>Why; kept with the version.</summary>
    public string? Message { get; init; }
    public BasedOn? BasedOn { get; init; }
}

/// <summary>The versions that the operator has looked at: a newer one makes the request a conflict.</summary>
public sealed record BasedOn
{
    public int? Dns { get; init; }
    public int? Dhcp { get; init; }

    internal int? Of(string component) => component == Component.Dns ? Dns : Dhcp;
}

/// <summary>How an older version is brought back.</summary>
public sealed record RestoreRequest : CommandsRequest
{
    /// <summary>Zones that are served now and not in that version may go.</summary>
    public bool DropZones { get; init; }

    /// <summary>Zones that are signed now and not in that version need be so no longer.</summary>
    public bool DropDnssec { get; init; }

    /// <summary>Subnets that are served now and not in that version may go.</summary>
    public bool DropSubnets { get; init; }
    public string? Message { get; init; }
    public int? BasedOn { get; init; }
}
