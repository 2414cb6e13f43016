using System.Globalization;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Bench.Monitoring;

/// <summary>
/// A day of a fleet, the same one every time: 20 metrics of each server, every 30 s, as whole numbers with their decimals apart. What moves has Gaussian noise on it.
/// </summary>
internal sealed class FleetDay
{
    public const int Beats = 2880;
    private const long Page = 4096;

    private readonly Random random = new(7);
    private readonly List<(string Name, int Decimals, long[] Values)> metrics = [];

    public FleetDay(int servers)
    {
        Servers = servers;
        foreach (var load in new[] { "load1", "load5", "load15" })
        {
            Add(load, 2, server => 50 + 10 * (server % 20), (_, start) => Math.Max(0, start + (long)Noise(0, 15)));
        }

        foreach (var (mode, mean) in new[] { ("user", 310.0), ("system", 120.0), ("iowait", 15.0), ("idle", 2500.0) })
        {
            Add($"cpu_{mode}_seconds_total", 2, server => 1_000_000 + server * 7919, (last, _) => last + (long)Math.Max(0, Noise(mean, mean / 10)));
        }

        Add("memory_available_bytes", 0, server => Page * (1_000_000 + server), (last, _) => Math.Max(Page, last + Page * (long)Noise(0, 300)));
        Add("memory_cached_bytes", 0, server => Page * (500_000 + server), (last, _) => Math.Max(Page, last + Page * (long)Noise(0, 100)));
        Add("disk_used_bytes", 0, server => Page * (5_000_000 + server), (last, _) => last + Page * (long)Noise(2, 20));
        foreach (var way in new[] { "received", "sent" })
        {
            Add($"network_{way}_bytes_total", 0, server => 1_000_000_000L * (server + 1), (last, _) => last + (long)Math.Max(0, Noise(900_000, 200_000)));
        }

        Add("temperature_celsius", 1, server => 400 + server % 50, (_, start) => start + (long)Noise(0, 5));
        foreach (var (kind, mean) in new[] { ("udp", 3000.0), ("tcp", 40.0), ("noerror", 2700.0), ("nxdomain", 330.0), ("servfail", 3.0) })
        {
            Add($"queries_{kind}_total", 0, server => 10_000 * server, (last, _) => last + (long)Math.Max(0, Noise(mean, mean / 8)));
        }

        Add("memory_total_bytes", 0, _ => 8L << 30, (last, _) => last);
        Add("disk_size_bytes", 0, _ => 100L << 30, (last, _) => last);
    }

    public int Servers { get; }

    public long Samples => (long)metrics.Count * Servers * Beats;

    /// <summary>As an agent tells it. What beats have no member for (counters of processor time, a temperature) stands in one of the like kind, without its decimal point.</summary>
    public Heartbeat Beat(int server, int beat, DateTimeOffset at)
    {
        long Value(int metric) => metrics[metric].Values[server * Beats + beat];
        return new Heartbeat
        {
            Seq = beat + 1,
            SentAt = at,
            AgentVersion = "2",
            Load = [Value(0) / 100.0, Value(1) / 100.0, Value(2) / 100.0],
            Memory = new MemoryUse(Value(18), Value(7), CachedBytes: Value(8)),
            Disks = [new DiskUse("/", Value(19), Value(9), 0, 0)],
            Connections = new ConnectionCount((int)Value(12), 0),
            Network =
            [
                new NetworkUse("eth0", Value(10), Value(11)), new NetworkUse("cpu0", Value(3), Value(4)), new NetworkUse("cpu1", Value(5), Value(6)),
                new NetworkUse("dns0", Value(13), Value(14)), new NetworkUse("dns1", Value(15), Value(16)), new NetworkUse("dns2", Value(17), 0),
            ],
            Docker = new DockerReport("running", "20.10.24"),
            Components = [new ComponentReport("dns", "3.2.6", "running", "managed-servers/knot:3.2.6-4a40259ca695")],
        };
    }

    /// <summary>The same in OpenMetrics' text, for Prometheus.</summary>
    public async Task Write(string file, DateTimeOffset start)
    {
        await using var writer = new StreamWriter(file);
        foreach (var (name, decimals, values) in metrics)
        {
            var counter = name.EndsWith("_total", StringComparison.Ordinal);
            await writer.WriteAsync($"# TYPE {(counter ? name[..^6] : name)} {(counter ? "counter" : "gauge")}\n");
            for (var i = 0; i < values.Length; i++)
            {
                var value = (decimal)values[i] / (decimal)Math.Pow(10, decimals);
                var at = start.ToUnixTimeSeconds() + 30 * (i % Beats);
                await writer.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"{name}{{server=\"s{i / Beats}\"}} {value} {at}\n"));
            }
        }

        await writer.WriteAsync("# EOF\n");
    }

    private void Add(string name, int decimals, Func<int, long> start, Func<long, long, long> next)
    {
        var values = new long[Servers * Beats];
        for (var server = 0; server < Servers; server++)
        {
            var (first, last) = (start(server), start(server));
            for (var beat = 0; beat < Beats; beat++)
            {
                values[server * Beats + beat] = last = next(last, first);
            }
        }

        metrics.Add((name, decimals, values));
    }

    // Box and Muller's.
    private double Noise(double mean, double deviation) =>
        mean + deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
