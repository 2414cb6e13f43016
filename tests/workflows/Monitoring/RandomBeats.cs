using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Tests.Monitoring;

/// <summary>Beats of every kind, the same ones for the same seed.</summary>
internal sealed class RandomBeats(int seed)
{
    private readonly Random random = new(seed);
    private long bytes = 1_000_000;

    /// <summary>A host that tells everything, as an agent would.</summary>
    public Heartbeat Whole(long seq, DateTimeOffset at) => new()
    {
        Seq = seq,
        SentAt = at,
        AgentVersion = "2",
        UptimeSeconds = 1000 + seq * 30.05,
        Load = [Share(4, 2), Share(3, 2), Share(2, 2)],
        Cpu = CpuUse.Of([.. Enumerable.Range(0, 8).Select(_ => Share(1, 4))]),
        Memory = new MemoryUse(1L << 34, 4096L * random.Next(1 << 20), 4096, 8192, 4096L * random.Next(1 << 20), 1L << 40),
        Swap = new SwapUse(1L << 30, 4096L * random.Next(10)),
        Disks = [new DiskUse("/", 1L << 36, 4096L * (1_000_000 + random.Next(100)), 1000, random.Next(1000)), new DiskUse("/var/lib/ä", 1L << 60, 0, 0, 0)],
        Connections = new ConnectionCount(random.Next(100), 7, TcpStates.Of([.. Enumerable.Range(0, 11).Select(_ => random.Next(50))])),
        Processes = 100 + random.Next(20),
        Network = [new NetworkUse("eth0", bytes += random.Next(1_000_000), bytes / 2), new NetworkUse("lo", 5, 5)],
        Docker = new DockerReport("running", "20.10.24"),
        Components = [new ComponentReport("dns", "3.2.6", "running", "managed-servers/knot:3.2.6-x")],
    };

    /// <summary>Any member may be missing, any number as large as it may be.</summary>
    public StoredHeartbeat Any(long seq, DateTimeOffset at) => new(
        seq, at, at.AddMilliseconds(random.Next(2) == 0 ? random.Next(50) : random.Next()), random.Next(4) == 0, Some(() => $"{random.Next(3)}"), Some(() => (double?)Share(1e9, 2)),
        Some(() => new[] { Share(1e6, 2), 0, Share(1, 2) }), Some(() => new MemoryUse(Amount(), Amount(), Rare(), Rare(), Rare(), Rare())), Some(() => new SwapUse(Amount(), Amount())),
        Some(() => Enumerable.Range(0, 1 + random.Next(3)).Select(i => new DiskUse($"/{i}}}", Amount(), Amount(), Amount(), Amount())).ToList()),
        Some(() => new ConnectionCount(random.Next(), random.Next(), Some(() => TcpStates.Of([.. Enumerable.Range(0, 11).Select(_ => random.Next())])))),
        Some(() => new DockerReport("stopped", Some(() => "27"))), Some(() => Enumerable.Range(0, random.Next(2)).Select(_ => new ComponentReport("dns", null, "stopped", "x")).ToList()),
        Some(() => CpuUse.Of([.. Enumerable.Range(0, 8).Select(_ => Share(1, 4))])), Some(() => (int?)random.Next()),
        Some(() => Enumerable.Range(0, 1 + random.Next(3)).Select(i => new NetworkUse($"e{i}", Amount(), Amount())).ToList()));

    private T? Some<T>(Func<T> value) => random.Next(4) == 0 ? default : value();

    private long? Rare() => random.Next(3) == 0 ? null : Amount();

    private long Amount() => random.Next(4) switch { 0 => 0, 1 => 1L << 60, 2 => random.NextInt64(1L << 60), _ => random.Next(1000) };

    private double Share(double most, int decimals) => Math.Round(random.NextDouble() * most, decimals);
}
