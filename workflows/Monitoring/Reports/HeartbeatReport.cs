namespace ManagedServers.Workflows.Monitoring;

/// <summary>What an agent sends: one beat, or several that waited in its spool. Everything is checked by <see cref="Ingestion"/>, so members may be missing here.</summary>
public sealed record HeartbeatReport
{
    /// <summary>Sixteen random bytes in hexadecimal, chosen once per spool.</summary>
    public string? Epoch { get; init; }

    /// <summary>The sender's clock as it sends. With it a wrong clock does no harm: only ages are taken from the sender.</summary>
    public DateTimeOffset? Now { get; init; }

    public IReadOnlyList<Heartbeat?>? Beats { get; init; }
}

/// <summary>One beat. Only its number and time are needed: a host that cannot tell its load still says that it lives.</summary>
public sealed record Heartbeat
{
    public long? Seq { get; init; }
    public DateTimeOffset? SentAt { get; init; }
    public string? AgentVersion { get; init; }
    public double? UptimeSeconds { get; init; }
    public IReadOnlyList<double>? Load { get; init; }
    public CpuUse? Cpu { get; init; }
    public MemoryUse? Memory { get; init; }
    public SwapUse? Swap { get; init; }
    public IReadOnlyList<DiskUse?>? Disks { get; init; }
    public ConnectionCount? Connections { get; init; }
    public int? Processes { get; init; }
    public IReadOnlyList<NetworkUse?>? Network { get; init; }
    public DockerReport? Docker { get; init; }
    public IReadOnlyList<ComponentReport?>? Components { get; init; }
}

/// <param name="State">running, stopped or unknown.</param>
/// <param name="Version">The engine's version, where it answered.</param>
public sealed record DockerReport(string? State, string? Version);

/// <param name="State">running or stopped.</param>
public sealed record ComponentReport(string? Name, string? Version, string? State, string? Image);
