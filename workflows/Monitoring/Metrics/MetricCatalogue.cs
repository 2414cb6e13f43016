namespace ManagedServers.Workflows.Monitoring;

/// <summary>Everything that is kept over time: names, units and kinds as the API, msctl, the dashboard and the storage know them.</summary>
public static class MetricCatalogue
{
    private const string Bytes = "bytes";
    private static readonly List<Metric> Known = [];
    private static readonly string[] Spans = ["1", "5", "15"];

    internal static readonly Metric Uptime = Gauge(1, "uptime", "seconds", "Time since the host started", decimals: 2);
    internal static readonly Metric[] Load = [.. Spans.Select((minutes, i) => Gauge(2 + i, $"load.{minutes}", "", $"Processes that run or wait, mean of {minutes} min", decimals: 2))];
    internal static readonly Metric[] Cpu = [.. CpuUse.Modes.Select((mode, i) => Gauge(5 + i, $"cpu.{mode}", "share", $"Share of the processors' time: {mode}", decimals: 4))];
    internal static readonly Metric MemoryTotal = Gauge(13, "memory.total", Bytes, "Memory of the host");
    internal static readonly Metric MemoryAvailable = Gauge(14, "memory.available", Bytes, "Memory that a new process could have");
    internal static readonly Metric MemoryFree = Gauge(15, "memory.free", Bytes, "Memory that nothing uses");
    internal static readonly Metric MemoryBuffers = Gauge(16, "memory.buffers", Bytes, "Memory that buffers block devices");
    internal static readonly Metric MemoryCached = Gauge(17, "memory.cached", Bytes, "Memory that caches files");
    internal static readonly Metric MemoryCommitted = Gauge(18, "memory.committed", Bytes, "Virtual memory that processes were promised");
    internal static readonly Metric SwapTotal = Gauge(19, "swap.total", Bytes, "Swap space");
    internal static readonly Metric SwapUsed = Gauge(20, "swap.used", Bytes, "Swap space in use");
    internal static readonly Metric DiskTotal = Gauge(21, "disk.total", Bytes, "Size of a file system", "mount");
    internal static readonly Metric DiskUsed = Gauge(22, "disk.used", Bytes, "Space in use on a file system", "mount");
    internal static readonly Metric InodesTotal = Gauge(23, "disk.inodes.total", "", "Inodes of a file system", "mount");
    internal static readonly Metric InodesUsed = Gauge(24, "disk.inodes.used", "", "Inodes in use on a file system", "mount");
    internal static readonly Metric Tcp = Gauge(25, "connections.tcp", "", "TCP connections: established or in close-wait");
    internal static readonly Metric Udp = Gauge(26, "connections.udp", "", "UDP sockets");
    internal static readonly Metric[] TcpState = [.. TcpStates.Names.Select((state, i) => Gauge(27 + i, $"connections.tcp.{state}", "", $"TCP sockets in the state {state}"))];
    internal static readonly Metric Processes = Gauge(38, "processes", "", "Processes");
    internal static readonly Metric NetworkReceived = Counter(39, "network.received", Bytes, "Received by an interface", "interface");
    internal static readonly Metric NetworkSent = Counter(40, "network.sent", Bytes, "Sent by an interface", "interface");

    // Stored as counts by the minute, and not with the beats: see CountedSeries.
    internal static readonly Metric DnsQueries = Counter(41, "dns.queries", "", "Queries that Knot took");
    internal static readonly Metric DnsResponses = Counter(42, "dns.responses", "", "Answers with a response code", "code");
    internal static readonly Metric DnsTypes = Counter(43, "dns.types", "", "Queries for a record type", "type");
    internal static readonly Metric DnsTransports = Counter(44, "dns.transports", "", "Queries over a transport", "transport");
    internal static readonly Metric DhcpPackets = Counter(45, "dhcp.packets", "", "Packets that Kea took, sent or dropped, and leases that it could not give", "packet");
    internal static readonly Metric DhcpTotal = Gauge(46, "dhcp.addresses.total", "", "Addresses in the pools of a subnet", "subnet");
    internal static readonly Metric DhcpAssigned = Gauge(47, "dhcp.addresses.assigned", "", "Addresses of a subnet that are leased", "subnet");
    internal static readonly Metric DhcpDeclined = Gauge(48, "dhcp.addresses.declined", "", "Addresses of a subnet that a client found in use by somebody else", "subnet");

    private static readonly Dictionary<string, Metric> ByName = Known.ToDictionary(m => m.Name);
    private static readonly Dictionary<int, Metric> ByNumber = Known.ToDictionary(m => m.Number);

    public static IReadOnlyList<Metric> All => Known;

    /// <summary>Those that monitors count; all others come with heartbeats.</summary>
    internal static IReadOnlyList<Metric> Counted { get; } = [DnsQueries, DnsResponses, DnsTypes, DnsTransports, DhcpPackets, DhcpTotal, DhcpAssigned, DhcpDeclined];

    public static Metric? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>Null for one that a newer version of the product has stored.</summary>
    internal static Metric? Find(int number) => ByNumber.GetValueOrDefault(number);

    private static Metric Gauge(int number, string name, string unit, string meaning, string? label = null, int decimals = 0) =>
        Add(new Metric(number, name, label, unit, MetricKind.Gauge, decimals, meaning));

    private static Metric Counter(int number, string name, string unit, string meaning, string? label = null) =>
        Add(new Metric(number, name, label, unit, MetricKind.Counter, 0, meaning));

    private static Metric Add(Metric metric)
    {
        Known.Add(metric);
        return metric;
    }
}
