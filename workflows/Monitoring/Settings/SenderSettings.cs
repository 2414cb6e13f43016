namespace ManagedServers.Workflows.Monitoring;

/// <summary>What an agent or a monitor is to do from now on; it comes with every answer, so that a change reaches hosts with their next report.</summary>
/// <param name="IntervalSeconds">Between two of its records.</param>
/// <param name="Services">Seconds between two measurements, by service; 0: none. What is not named is part of every record.</param>
public sealed record SenderSettings(int IntervalSeconds, IReadOnlyDictionary<string, int> Services)
{
    internal static SenderSettings OfAgent(MonitoringSettings settings, MonitoringServices services) => new(
        settings.HeartbeatIntervalSeconds,
        services.Measured.Where(s => !s.Service.Enabled || s.Service.IntervalSeconds > settings.HeartbeatIntervalSeconds)
            .ToDictionary(s => s.Name, s => s.Service.Enabled ? s.Service.IntervalSeconds : 0));

    internal static SenderSettings OfMonitor(MonitoringSettings settings, MonitoringServices services) => new(
        settings.PushIntervalSeconds,
        new[] { ("dnsHits", services.DnsHits), ("dnsCounters", services.DnsCounters) }.Where(s => !s.Item2.Enabled).Select(s => (Name: s.Item1, Seconds: 0))
            .Append((Name: "dhcp", Seconds: services.Dhcp.Enabled ? services.Dhcp.IntervalSeconds : 0)).ToDictionary(s => s.Name, s => s.Seconds));
}
