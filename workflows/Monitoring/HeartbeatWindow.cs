using Dapper;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Which beats count as signs of life: one rule for the bar of a server, for alerts and for the fleet.</summary>
internal static class HeartbeatWindow
{
    /// <summary>Of a row <c>h</c> of <c>monitoring.heartbeat</c>. What is fetched is heard of that much later.</summary>
    public const string Holds = """
        h.at > @earliest and not h.late
            and h.received_at > @windowSince - case when exists (select from monitoring.pull p where p.server_id = h.server_id) then @pullInterval else interval '0' end
        """;

    /// <summary>What <see cref="Holds"/> needs, and <c>@healthyCount</c>.</summary>
    public static DynamicParameters AddTo(DynamicParameters parameters, CurrentMonitoring current, MonitoringOptions options, DateTime now)
    {
        parameters.Add("windowSince", now - current.Window - options.Grace);
        parameters.Add("earliest", now - current.Window - 2 * options.Grace - 2 * current.PullInterval);
        parameters.Add("pullInterval", current.PullInterval);
        parameters.Add("healthyCount", current.HealthyCount);
        return parameters;
    }
}
