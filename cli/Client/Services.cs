using System.Text.Json.Serialization;

namespace ManagedServers.Cli.Client;

/// <summary>Names that nobody has asked for.</summary>
public sealed record UnaskedPage
{
    /// <summary>Start of the period.</summary>
    public DateTimeOffset From { get; init; }

    /// <summary>Its end.</summary>
    public DateTimeOffset To { get; init; }

    /// <summary>How well it was listened.</summary>
    public required Listened Listened { get; init; }

    /// <summary>Names on all pages.</summary>
    public int Total { get; init; }

    /// <summary>Zones whose names the product does not know.</summary>
    public IReadOnlyList<string> Unknown { get; init; } = [];

    /// <summary>The names.</summary>
    public required IReadOnlyList<UnaskedName> Items { get; init; }

    /// <summary>Where the next page begins; null on the last.</summary>
    [JsonConverter(typeof(CursorConverter))]
    public string? Next { get; init; }
}

/// <summary>How well it was listened in a period.</summary>
/// <param name="Since">The first minute of which something is known.</param>
/// <param name="Time">Share of the period, 0 to 1.</param>
/// <param name="Named">Queries seen with their name.</param>
/// <param name="Queries">All queries.</param>
/// <param name="Share">Named by all; null without queries.</param>
public sealed record Listened(DateTimeOffset? Since, double Time, long Named, long Queries, double? Share);

/// <summary>A name that nobody has asked for.</summary>
/// <param name="Zone">Its zone.</param>
/// <param name="Name">The name.</param>
/// <param name="Types">Of its records.</param>
/// <param name="LastAccess">Before the period; null if never.</param>
public sealed record UnaskedName(string Zone, string Name, IReadOnlyList<string> Types, DateTimeOffset? LastAccess);

/// <summary>How full a subnet is.</summary>
/// <param name="Subnet">As in <c>192.0.2.0/24</c>.</param>
/// <param name="Total">Addresses in its pools.</param>
/// <param name="Assigned">Leased.</param>
/// <param name="Declined">Found in use by somebody else.</param>
/// <param name="Share">Assigned by total, 0 to 1.</param>
/// <param name="At">When Kea told.</param>
/// <param name="PerDay">Growth a day over the last week; null where less than a day is known.</param>
/// <param name="FullAt">When it is full if it goes on like this.</param>
public sealed record SubnetFigures(string Subnet, long Total, long Assigned, long Declined, double? Share, DateTimeOffset At, double? PerDay, DateTimeOffset? FullAt);

/// <summary>An address that a client has.</summary>
/// <param name="Address">The address.</param>
/// <param name="HardwareAddress">The client's.</param>
/// <param name="HostName">What it calls itself.</param>
/// <param name="State"><c>assigned</c>, <c>declined</c> or <c>expired</c>.</param>
/// <param name="ExpiresAt">End of the lease.</param>
public sealed record DhcpLease(string Address, string? HardwareAddress, string? HostName, string State, DateTimeOffset ExpiresAt);
