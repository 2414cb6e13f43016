using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Alerts;

/// <summary>A metric as a rule names it.</summary>
internal sealed record RuleMetric(Metric Metric, string? Label, MetricSql Sql);

/// <summary>
/// Where a metric stands in a row of <c>monitoring.heartbeat</c> or <c>monitoring.dhcp_subnet</c>: the only texts that a rule's statement is made of; what operators write are parameters.
/// What is kept as counts alone (queries, packets) cannot be watched.
/// </summary>
/// <param name="Service">That of the monitoring services which measures it; null for what is part of every beat.</param>
/// <param name="Column">Null in the row where it was not measured.</param>
/// <param name="LabelKey">Of a list: the member of its elements that tells them apart.</param>
/// <param name="Value">The value: of a list's element <c>e</c>, otherwise of the row.</param>
internal sealed record MetricSql(string? Service, string Column, string? LabelKey, string Value)
{
    private const string Subnet = "subnet";

    private static readonly Dictionary<string, MetricSql> Known = All().ToDictionary(m => m.Metric.Name, m => m.Sql);

    /// <summary>Told by Kea, and not by a heartbeat.</summary>
    public bool IsOfSubnet => LabelKey == Subnet;

    /// <summary>Null where there is no such metric, or it cannot have that label.</summary>
    public static RuleMetric? Parse(string text)
    {
        var start = text.IndexOf('{', StringComparison.Ordinal);
        var metric = MetricCatalogue.Find(start < 0 ? text : text[..start]);
        return metric is null || !Known.TryGetValue(metric.Name, out var sql) || (start >= 0 && (sql.LabelKey is null || text[^1] != '}' || text.Length - start is < 3 or > 1000 || text.Any(char.IsControl))) ? null
            : new RuleMetric(metric, start < 0 ? null : text[(start + 1)..^1], sql);
    }

    /// <summary>Whether the values of both stand beside each other, so that one can be a share of the other.</summary>
    public bool GoesWith(MetricSql other) => LabelKey == other.LabelKey && (LabelKey is null || Column == other.Column);

    private static IEnumerable<(Metric Metric, MetricSql Sql)> All()
    {
        yield return Row(MetricCatalogue.Uptime, null, "uptime");
        foreach (var (metric, column) in MetricCatalogue.Load.Zip(["load1", "load5", "load15"]))
        {
            yield return Row(metric, null, column);
        }

        foreach (var (i, metric) in MetricCatalogue.Cpu.Index())
        {
            yield return (metric, new MetricSql("cpu", "cpu", null, $"cpu[{i + 1}]"));
        }

        yield return Row(MetricCatalogue.MemoryTotal, "memory", "memory_total");
        yield return Row(MetricCatalogue.MemoryAvailable, "memory", "memory_available");
        yield return Row(MetricCatalogue.MemoryFree, "memory", "memory_free");
        yield return Row(MetricCatalogue.MemoryBuffers, "memory", "memory_buffers");
        yield return Row(MetricCatalogue.MemoryCached, "memory", "memory_cached");
        yield return Row(MetricCatalogue.MemoryCommitted, "memory", "memory_committed");
        yield return Row(MetricCatalogue.SwapTotal, "swap", "swap_total");
        yield return Row(MetricCatalogue.SwapUsed, "swap", "swap_used");
        yield return Row(MetricCatalogue.Tcp, "connections", "tcp_established");
        yield return Row(MetricCatalogue.Udp, "connections", "udp");
        foreach (var (i, metric) in MetricCatalogue.TcpState.Index())
        {
            yield return (metric, new MetricSql("connections", "tcp", null, $"tcp[{i + 1}]"));
        }

        yield return Row(MetricCatalogue.Processes, "processes", "processes");
        yield return Element(MetricCatalogue.DiskTotal, "disk", "disks", "mount", "totalBytes");
        yield return Element(MetricCatalogue.DiskUsed, "disk", "disks", "mount", "usedBytes");
        yield return Element(MetricCatalogue.InodesTotal, "disk", "disks", "mount", "inodesTotal");
        yield return Element(MetricCatalogue.InodesUsed, "disk", "disks", "mount", "inodesUsed");
        yield return Element(MetricCatalogue.NetworkReceived, "network", "network", "interface", "receivedBytes");
        yield return Element(MetricCatalogue.NetworkSent, "network", "network", "interface", "sentBytes");
        yield return (MetricCatalogue.DhcpTotal, new MetricSql("dhcp", Subnet, Subnet, "total"));
        yield return (MetricCatalogue.DhcpAssigned, new MetricSql("dhcp", Subnet, Subnet, "assigned"));
        yield return (MetricCatalogue.DhcpDeclined, new MetricSql("dhcp", Subnet, Subnet, "declined"));
    }

    private static (Metric, MetricSql) Row(Metric metric, string? service, string column) => (metric, new MetricSql(service, column, null, column));

    private static (Metric, MetricSql) Element(Metric metric, string service, string column, string label, string member) =>
        (metric, new MetricSql(service, column, label, $"(e->>'{member}')::double precision"));
}
