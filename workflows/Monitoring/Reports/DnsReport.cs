namespace ManagedServers.Workflows.Monitoring;

/// <summary>What a monitor sends: samples of the queries that Knot answered. Everything is checked by <see cref="Ingestion"/>, so members may be missing here.</summary>
public sealed record DnsReport
{
    /// <summary>Sixteen random bytes in hexadecimal, chosen once per spool.</summary>
    public string? Epoch { get; init; }

    /// <summary>The sender's clock as it sends; see <see cref="HeartbeatReport.Now"/>.</summary>
    public DateTimeOffset? Now { get; init; }

    public IReadOnlyList<DnsSample?>? Samples { get; init; }
}

/// <summary>Counts of one period. A period with more names than fit into a request comes as several samples, of which one carries the totals.</summary>
public sealed record DnsSample
{
    public long? Seq { get; init; }
    public DateTimeOffset? From { get; init; }
    public DateTimeOffset? To { get; init; }

    /// <summary>Queries by the server's own counters.</summary>
    public long Queries { get; init; }

    /// <summary>Queries seen through dnstap: the names' counts and <see cref="Other"/>.</summary>
    public long Named { get; init; }

    public IReadOnlyList<NameCount?>? Names { get; init; }

    /// <summary>Seen through dnstap, but outside the configured zones or beyond the bound of distinct names.</summary>
    public long Other { get; init; }

    /// <summary>Answers by response code.</summary>
    public IReadOnlyDictionary<string, long>? Responses { get; init; }

    /// <summary>Queries by the type that was asked for.</summary>
    public IReadOnlyDictionary<string, long>? Types { get; init; }

    /// <summary>Queries by how they came, as in <c>udp4</c>.</summary>
    public IReadOnlyDictionary<string, long>? Transports { get; init; }

    /// <summary>Knot's dnstap connection was up when the sample was taken; null where no Knot serves.</summary>
    public bool? Connected { get; init; }

    /// <summary>Null where Kea was not looked at.</summary>
    public DhcpUse? Dhcp { get; init; }
}

/// <summary>What Kea told.</summary>
public sealed record DhcpUse
{
    /// <summary>Packets, and what became of them, since Kea was last looked at.</summary>
    public IReadOnlyDictionary<string, long>? Packets { get; init; }

    public IReadOnlyList<SubnetUse?>? Subnets { get; init; }
}

/// <param name="Subnet">IPv4, as in <c>192.0.2.0/24</c>.</param>
/// <param name="Total">Addresses in its pools.</param>
/// <param name="Assigned">Leased, those that are reserved outside of the pools and those that were declined included.</param>
/// <param name="Declined">Addresses that a client has found in use by somebody else.</param>
public sealed record SubnetUse(string? Subnet, long Total, long Assigned, long Declined);

/// <param name="Zone">Configured zone, lower case, with its final dot.</param>
/// <param name="Name">Escaped as in a zone file, lower case, with its final dot.</param>
/// <param name="Type">A, AAAA, TYPE65280, …</param>
public sealed record NameCount(string? Zone, string? Name, string? Type, long Count, DateTimeOffset? Last);
