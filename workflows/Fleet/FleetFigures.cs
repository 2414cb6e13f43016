using Dapper;
using ManagedServers.Engine;
using ManagedServers.Workflows.Monitoring;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace ManagedServers.Workflows.Fleet;

/// <summary>The whole fleet in a few numbers.</summary>
/// <param name="Servers">By how their heartbeats come: healthy, degraded or silent; none where nothing is installed.</param>
/// <param name="Drifted">Servers on which something is not as it was asked for.</param>
/// <param name="Missing">Records by who numbered them (agent, monitor): announced by a later one, and not received.</param>
/// <param name="Runs">Not over, by kind.</param>
/// <param name="Firing">Alerts that fire, by severity.</param>
public sealed record FleetFigures(IReadOnlyDictionary<string, long> Servers, long Drifted, IReadOnlyDictionary<string, long> Missing, IReadOnlyList<RunKind> Runs, IReadOnlyDictionary<string, long> Firing);

/// <summary>Counts over all servers, each with one statement: cheap enough to be asked every few seconds.</summary>
public sealed class Fleet(NpgsqlDataSource database, IEngineControl engine, CurrentMonitoring current, MonitoringOptions options, TimeProvider time)
{
    public async Task<FleetFigures> Look(CancellationToken cancellationToken = default)
    {
        var now = time.GetUtcNow().UtcDateTime;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var servers = await Counts($"""
            with bar as (
                select h.server_id, count(*) as received from monitoring.heartbeat h where {HeartbeatWindow.Holds} group by h.server_id)
            select case when not exists (select from servers.component c where c.server_id = s.id) then 'none'
                when bar.received >= @healthyCount then 'healthy' when bar.received > 0 then 'degraded' else 'silent' end, count(*)
            from servers.server s left join bar on bar.server_id = s.id group by 1
            """);
        var missing = await Counts("""
            select kind, coalesce(sum(told.last - told.seen + s.lost), 0)::bigint from monitoring.source s cross join lateral (
                select coalesce(sum(upper(r) - lower(r)), 0)::bigint as seen, coalesce(max(upper(r)) - 1, 0)::bigint as last from unnest(s.seen) r) told
            group by kind
            """);
        var drifted = await connection.ExecuteScalarAsync<long>(new CommandDefinition("select count(distinct server_id) from servers.drift", cancellationToken: cancellationToken));
        var firing = await Counts("select severity, count(*) from alerts.alert where state = 'firing' group by severity");
        return new FleetFigures(servers, drifted, missing, await engine.Kinds(cancellationToken), firing);

        async Task<IReadOnlyDictionary<string, long>> Counts(string sql) => (await connection.QueryAsync<(string Word, long Count)>(new CommandDefinition(
            sql, HeartbeatWindow.AddTo(new DynamicParameters(), current, options, now), cancellationToken: cancellationToken))).ToDictionary(r => r.Word, r => r.Count);
    }
}

public static class FleetRegistration
{
    /// <summary>Needs servers, the engine, monitoring and alerts.</summary>
    public static IServiceCollection AddFleet(this IServiceCollection services) => services.AddSingleton<Fleet>();
}
