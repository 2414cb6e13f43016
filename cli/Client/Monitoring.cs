using System.Text.Json.Serialization;

namespace ManagedServers.Cli.Client;

/// <summary>A server's beats.</summary>
public sealed record HeartbeatPage
{
    /// <summary>The bar in numbers.</summary>
    public required HeartbeatSummary Summary { get; init; }

    /// <summary>The beats, newest first.</summary>
    public required IReadOnlyList<Heartbeat> Items { get; init; }

    /// <summary>Where the next page begins; null on the last.</summary>
    [JsonConverter(typeof(CursorConverter))]
    public string? Next { get; init; }
}

/// <summary>One beat.</summary>
public sealed record Heartbeat
{
    /// <summary>Its number in the host's spool.</summary>
    public long Seq { get; init; }

    /// <summary>When the host sent it, by the host's clock.</summary>
    public DateTimeOffset? SentAt { get; init; }

    /// <summary>When the product got it.</summary>
    public DateTimeOffset? ReceivedAt { get; init; }

    /// <summary>It was spooled and came too late for the bar.</summary>
    public bool Late { get; init; }

    /// <summary>Time since the host started.</summary>
    public double? UptimeSeconds { get; init; }

    /// <summary>Load over 1, 5 and 15 minutes.</summary>
    public IReadOnlyList<double>? Load { get; init; }

    /// <summary>Memory of the host.</summary>
    public MemoryUse? Memory { get; init; }

    /// <summary>Its Docker engine.</summary>
    public DockerState? Docker { get; init; }
}

/// <summary>Memory of a host.</summary>
/// <param name="TotalBytes">All of it.</param>
/// <param name="AvailableBytes">What a new process could have.</param>
public sealed record MemoryUse(long TotalBytes, long AvailableBytes);

/// <summary>A host's Docker engine.</summary>
/// <param name="State"><c>running</c>, <c>stopped</c> or <c>unknown</c>.</param>
/// <param name="Version">Its version.</param>
public sealed record DockerState(string? State, string? Version);

/// <summary>Which hits to list.</summary>
public sealed record HitFilter
{
    /// <summary>Start of the period; the product's default when null.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>End of the period; now when null.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Only this zone.</summary>
    public string? Zone { get; init; }

    /// <summary>Only names that contain this.</summary>
    public string? Name { get; init; }

    /// <summary>Only this record type.</summary>
    public string? Type { get; init; }

    /// <summary><c>count</c>, <c>total</c>, <c>last</c> or <c>name</c>.</summary>
    public string? Sort { get; init; }

    /// <summary>Rows at most.</summary>
    public int? Limit { get; init; }
}

/// <summary>Hits of names on a server.</summary>
public sealed record HitPage
{
    /// <summary>Start of the period.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>End of the period.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>How much of the traffic the names account for.</summary>
    public Coverage? Coverage { get; init; }

    /// <summary>The names.</summary>
    public required IReadOnlyList<Hit> Items { get; init; }

    /// <summary>Where the next page begins; null on the last.</summary>
    [JsonConverter(typeof(CursorConverter))]
    public string? Next { get; init; }
}

/// <summary>How much of the traffic was counted by name.</summary>
public sealed record Coverage
{
    /// <summary>Queries counted by name.</summary>
    public long Named { get; init; }

    /// <summary>Queries for names outside the server's zones, or beyond those that are counted one by one.</summary>
    public long Other { get; init; }

    /// <summary>All queries, by the server's own counter.</summary>
    public long Queries { get; init; }

    /// <summary>0 to 1; null without queries.</summary>
    public double? Share { get; init; }

    /// <summary>The collector is connected to the DNS server.</summary>
    public bool? Connected { get; init; }

    /// <summary>The newest sample.</summary>
    public DateTimeOffset? LastSampleAt { get; init; }
}

/// <summary>Hits of one name.</summary>
/// <param name="Zone">Its zone.</param>
/// <param name="Name">The name.</param>
/// <param name="Type">Record type.</param>
/// <param name="Count">In the period.</param>
/// <param name="Total">Ever.</param>
/// <param name="LastAccess">When it was last asked for.</param>
public sealed record Hit(string? Zone, string Name, string Type, long Count, long Total, DateTimeOffset? LastAccess);
