namespace ManagedServers.Workflows.Monitoring;

/// <summary>Shares of the time since the beat before, each 0 to 1.</summary>
public sealed record CpuUse(double User, double Nice, double System, double Idle, double Iowait, double Irq, double Softirq, double Steal)
{
    internal static readonly string[] Modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];

    internal double[] Shares => [User, Nice, System, Idle, Iowait, Irq, Softirq, Steal];

    internal static CpuUse Of(IReadOnlyList<double> shares) => new(shares[0], shares[1], shares[2], shares[3], shares[4], shares[5], shares[6], shares[7]);
}

/// <param name="CommittedBytes">What all processes were promised, with or without memory behind it.</param>
public sealed record MemoryUse(
    long TotalBytes, long AvailableBytes, long? FreeBytes = null, long? BuffersBytes = null, long? CachedBytes = null, long? CommittedBytes = null);

public sealed record SwapUse(long TotalBytes, long UsedBytes);

public sealed record DiskUse(string? Mount, long TotalBytes, long UsedBytes, long InodesTotal, long InodesUsed);

/// <param name="TcpEstablished">By the kernel's own count, which has those in close-wait too.</param>
/// <param name="Udp">Sockets.</param>
/// <param name="Tcp">Sockets by their state.</param>
public sealed record ConnectionCount(int TcpEstablished, int Udp, TcpStates? Tcp = null);

public sealed record TcpStates(
    int Established, int SynSent, int SynReceived, int FinWait1, int FinWait2, int TimeWait, int Close, int CloseWait, int LastAck, int Listen, int Closing)
{
    internal static readonly string[] Names =
        ["established", "synSent", "synReceived", "finWait1", "finWait2", "timeWait", "close", "closeWait", "lastAck", "listen", "closing"];

    internal int[] Counts => [Established, SynSent, SynReceived, FinWait1, FinWait2, TimeWait, Close, CloseWait, LastAck, Listen, Closing];

    internal static TcpStates Of(IReadOnlyList<int> counts) =>
        new(counts[0], counts[1], counts[2], counts[3], counts[4], counts[5], counts[6], counts[7], counts[8], counts[9], counts[10]);
}

/// <summary>What an interface has carried since it came up: counters.</summary>
public sealed record NetworkUse(string? Interface, long ReceivedBytes, long SentBytes);
