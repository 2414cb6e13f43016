namespace ManagedServers.Workflows.Monitoring;

/// <summary>A beat as it stands in <c>monitoring.heartbeat</c> until its hour is packed.</summary>
internal sealed class WideRow
{
    /// <summary>For a select list, or after <c>returning</c>.</summary>
    public const string Columns = """
        server_id as "ServerId", seq as "Seq", at as "At", received_at as "ReceivedAt", late as "Late", agent_version as "AgentVersion", uptime as "Uptime",
        load1 as "Load1", load5 as "Load5", load15 as "Load15", cpu as "Cpu",
        memory_total as "MemoryTotal", memory_available as "MemoryAvailable", memory_free as "MemoryFree", memory_buffers as "MemoryBuffers",
        memory_cached as "MemoryCached", memory_committed as "MemoryCommitted", swap_total as "SwapTotal", swap_used as "SwapUsed",
        tcp_established as "TcpEstablished", udp as "Udp", tcp as "Tcp", processes as "Processes",
        docker_state as "DockerState", docker_version as "DockerVersion", disks::text as "Disks", components::text as "Components", network::text as "Network"
        """;

    public Guid ServerId { get; init; }
    public long Seq { get; init; }
    public DateTime At { get; init; }
    public DateTime ReceivedAt { get; init; }
    public bool Late { get; init; }
    public string? AgentVersion { get; init; }
    public double? Uptime { get; init; }
    public float? Load1 { get; init; }
    public float? Load5 { get; init; }
    public float? Load15 { get; init; }
    public float[]? Cpu { get; init; }
    public long? MemoryTotal { get; init; }
    public long? MemoryAvailable { get; init; }
    public long? MemoryFree { get; init; }
    public long? MemoryBuffers { get; init; }
    public long? MemoryCached { get; init; }
    public long? MemoryCommitted { get; init; }
    public long? SwapTotal { get; init; }
    public long? SwapUsed { get; init; }
    public int? TcpEstablished { get; init; }
    public int? Udp { get; init; }
    public int[]? Tcp { get; init; }
    public int? Processes { get; init; }
    public string? DockerState { get; init; }
    public string? DockerVersion { get; init; }
    public string? Disks { get; init; }
    public string? Components { get; init; }
    public string? Network { get; init; }

    // Rounded as it will be packed, so that nothing changes when it is.
    public StoredHeartbeat Beat() => new(
        Seq, At, ReceivedAt, Late, AgentVersion, Uptime is { } uptime ? Math.Round(uptime, 2) : null,
        Load1 is null ? null : [Decimal(Load1), Decimal(Load5), Decimal(Load15)],
        MemoryTotal is { } memory ? new MemoryUse(memory, MemoryAvailable ?? 0, MemoryFree, MemoryBuffers, MemoryCached, MemoryCommitted) : null,
        SwapTotal is { } swap ? new SwapUse(swap, SwapUsed ?? 0) : null,
        StoredJson.Read<List<DiskUse>>(Disks),
        TcpEstablished is { } tcp ? new ConnectionCount(tcp, Udp ?? 0, Tcp is { } states ? TcpStates.Of(states) : null) : null,
        DockerState is { } docker ? new DockerReport(docker, DockerVersion) : null,
        StoredJson.Read<List<ComponentReport>>(Components),
        Cpu is { } shares ? CpuUse.Of([.. shares.Select(s => Math.Round(s, 4))]) : null,
        Processes, StoredJson.Read<List<NetworkUse>>(Network));

    // 0.1f is 0.10000000149 as a double; the kernel gives two decimals.
    private static double Decimal(float? value) => Math.Round(value ?? 0, 2);
}
