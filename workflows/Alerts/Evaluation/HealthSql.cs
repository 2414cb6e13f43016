using Dapper;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Alerts;

/// <summary>The state of servers as the ways in tell it together: heartbeats in the window, what the last of them says of Docker, and whether DNS statistics still come.</summary>
internal static class HealthSql
{
    // As for the coverage of hits: idle monitors send a sample a minute.
    private static readonly TimeSpan SampleExpected = TimeSpan.FromSeconds(150);

    /// <summary>Servers on which something is installed; only of these anything is expected.</summary>
    public const string Subject = """
        subject as materialized (
            select s.id as server_id, s.name from servers.server s where exists (select from servers.component c where c.server_id = s.id))
        """;

    /// <summary>After <see cref="Subject"/>.</summary>
    public const string Health = $"""
        last as materialized (
            select s.server_id, b.at, b.docker_state, b.components from subject s cross join lateral (
                select h.at, h.docker_state, h.components from monitoring.heartbeat h where h.server_id = s.server_id and h.at > @earliest order by h.at desc limit 1) b),
        down as materialized (
            select last.server_id, c.name as component from last join servers.component c on c.server_id = last.server_id and c.stopped_by is null
            where last.docker_state = 'running' and not exists (
                select from jsonb_array_elements(coalesce(last.components, '[]')) e where e->>'name' = c.name and e->>'state' = 'running')),
        health as materialized (
            select s.server_id, s.name, last.at as last_at, case
                when bar.received = 0 and dns.server_id is not null then 'agentSilent'
                when bar.received = 0 then 'unreachable'
                when last.docker_state <> 'running' then 'dockerDead'
                when exists (select from down where down.server_id = s.server_id) then 'componentDown'
                when agents.contested then 'twoAgents'
                when bar.received < @healthyCount and agents.first_at < @young then 'degraded'
                when dns.server_id is null and exists (select from servers.component c where c.server_id = s.server_id and c.name = 'monitor' and c.stopped_by is null)
                    and exists (select from servers.component c where c.server_id = s.server_id and c.name = 'dns' and c.stopped_by is null) then 'collectorSilent'
                else 'healthy' end as state
            from subject s
            left join lateral (
                select count(*)::integer as received from (
                    select from monitoring.heartbeat h
                    where h.server_id = s.server_id and {HeartbeatWindow.Holds}
                    limit @healthyCount) in_time) bar on true
            left join last on last.server_id = s.server_id
            left join lateral (
                select min(o.first_at) as first_at, coalesce(max(o.contested_at) > @windowSince, false) as contested from monitoring.source o where o.server_id = s.server_id and o.kind = 'agent') agents on true
            left join monitoring.dns_state dns on dns.server_id = s.server_id and dns.connected and dns.last_sample_at > @dnsSince)
        """;

    public static void AddParameters(DynamicParameters parameters, CurrentMonitoring current, MonitoringOptions options, DateTime now)
    {
        HeartbeatWindow.AddTo(parameters, current, options, now);
        parameters.Add("young", now - current.Window);
        parameters.Add("dnsSince", now - SampleExpected);
    }
}
