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

    /// <summary>Knot's dnstap connection was up when the sample was taken.</summary>
    public bool Connected { get; init; }
}

/// <param name="Zone">Configured zone, lower case, with its final dot.</param>
/// <param name="Name">Escaped as in a zone file, lower case, with its final dot.</param>
/// <param name="Type">A, AAAA, TYPE65280, …</param>
public sealed record NameCount(string? Zone, string? Name, string? Type, long Count, DateTimeOffset? Last);
