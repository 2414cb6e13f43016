namespace ManagedServers.Workflows.Monitoring;

/// <summary>starting: younger than the window; healthy, degraded, silent: by the beats of the window; none: never heard of.</summary>
public enum HeartbeatStatus { None, Starting, Healthy, Degraded, Silent }

/// <summary>What the heartbeat bar shows of one server.</summary>
/// <param name="Due">Beats that the window asks for: four, fewer while the server is young.</param>
/// <param name="Received">Those that came in time.</param>
/// <param name="LastAt">The latest beat that was not late.</param>
/// <param name="Total">Every beat ever accepted, also those no longer kept.</param>
/// <param name="Components">As the latest beat has them; empty while Docker does not answer.</param>
/// <param name="Docker">As the latest beat has it.</param>
/// <param name="ContestedAt">When a second agent, or monitor, was last heard that reports as this server beside the one that does; null where there never was one.</param>
public sealed record HeartbeatSummary(
    Guid ServerId, int Due, int Received, HeartbeatStatus Status, DateTimeOffset? LastAt, long Total,
    IReadOnlyList<ComponentReport> Components, DockerReport? Docker, DateTimeOffset? ContestedAt = null);

/// <summary>A stored beat.</summary>
/// <param name="SentAt">When it was made, in our clock.</param>
/// <param name="Late">It waited in the spool: history, never the bar.</param>
public sealed record StoredHeartbeat(
    long Seq, DateTimeOffset SentAt, DateTimeOffset ReceivedAt, bool Late, string? AgentVersion, double? UptimeSeconds,
    IReadOnlyList<double>? Load, MemoryUse? Memory, SwapUse? Swap, IReadOnlyList<DiskUse>? Disks, ConnectionCount? Connections,
    DockerReport? Docker, IReadOnlyList<ComponentReport>? Components,
    CpuUse? Cpu = null, int? Processes = null, IReadOnlyList<NetworkUse>? Network = null);

/// <param name="Next">Give it as <c>before</c> to read on; null at the end.</param>
public sealed record HeartbeatPage(IReadOnlyList<StoredHeartbeat> Items, string? Next);
