using ManagedServers.Workflows.Settings;

namespace ManagedServers.Workflows.Monitoring;

/// <param name="Enabled">Whether it is collected.</param>
public sealed record ServiceSwitch(bool Enabled = true);

/// <param name="Enabled">Whether it is collected.</param>
/// <param name="IntervalSeconds">How often; with the first heartbeat that is due then.</param>
public sealed record MeasuredService(bool Enabled = true, int IntervalSeconds = 30);

/// <summary>The module "Monitoring services": what is collected.</summary>
public sealed record MonitoringServices
{
    /// <summary>Its place among the settings.</summary>
    public static SettingsModule<MonitoringServices> Module { get; } = new("monitoring-services", "Monitoring services", (services, refuse) => services.Check(refuse));

    /// <summary>Which names are asked for.</summary>
    public ServiceSwitch DnsHits { get; init; } = new();

    /// <summary>How many queries, and what was answered.</summary>
    public ServiceSwitch DnsCounters { get; init; } = new();

    /// <summary>Packets, and the use of subnets.</summary>
    public MeasuredService Dhcp { get; init; } = new(IntervalSeconds: 60);

    public MeasuredService Cpu { get; init; } = new();

    /// <summary>Physical and virtual memory.</summary>
    public MeasuredService Memory { get; init; } = new();

    public MeasuredService Swap { get; init; } = new();

    public MeasuredService Disk { get; init; } = new();

    public MeasuredService Connections { get; init; } = new();

    public MeasuredService Processes { get; init; } = new();

    public MeasuredService Network { get; init; } = new();

    /// <summary>Names with a row of their own, per server; what is asked beyond is counted together.</summary>
    public int NamesPerServer { get; init; } = 100_000;

    internal IEnumerable<(string Name, MeasuredService Service)> Measured =>
        [("cpu", Cpu), ("memory", Memory), ("swap", Swap), ("disk", Disk), ("connections", Connections), ("processes", Processes), ("network", Network)];

    private void Check(Action<string, string> refuse)
    {
        MonitoringSettings.Range(NamesPerServer, 0, 1_000_000, "namesPerServer", "names", refuse);
        foreach (var (name, service) in Measured.Append(("dhcp", Dhcp)))
        {
            MonitoringSettings.Range(service.IntervalSeconds, 5, 86_400, $"{name}.intervalSeconds", "seconds", refuse);
        }
    }
}
