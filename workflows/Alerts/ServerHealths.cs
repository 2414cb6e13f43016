using Dapper;
using ManagedServers.Workflows.Monitoring;
using Npgsql;

namespace ManagedServers.Workflows.Alerts;

/// <param name="Reason">The state in words.</param>
/// <param name="LastHeartbeatAt">Null where none came in the window.</param>
/// <param name="Pending">Alerts that have not lasted long enough to fire.</param>
/// <param name="MaintenanceUntil">Nobody is notified until then; null outside of maintenance.</param>
public sealed record ServerHealth(Guid ServerId, string Server, HealthState State, string Reason, DateTimeOffset? LastHeartbeatAt, int Firing, int Pending, DateTimeOffset? MaintenanceUntil);

/// <summary>The state of servers on which something is installed. Worked out when it is asked for.</summary>
public sealed class ServerHealths(NpgsqlDataSource database, CurrentMonitoring current, MonitoringOptions options, TimeProvider time)
{
    /// <summary>A page in the order of names.</summary>
    /// <param name="state">Only those in it; null for all.</param>
    /// <param name="after">The last name of the page before.</param>
    public Task<IReadOnlyList<ServerHealth>> List(HealthState? state, string? after, int limit, CancellationToken cancellationToken = default) =>
        Read(HealthSql.Subject, state, after, limit, null, cancellationToken);

    /// <summary>Of one server; null where nothing is installed on it.</summary>
    public async Task<ServerHealth?> Of(Guid server, CancellationToken cancellationToken = default) =>
        (await Read("subject as materialized (select s.id as server_id, s.name from servers.server s where s.id = @server and exists (select from servers.component c where c.server_id = s.id))", null, null, 1, server, cancellationToken)).SingleOrDefault();

    private async Task<IReadOnlyList<ServerHealth>> Read(string subject, HealthState? state, string? after, int limit, Guid? server, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var parameters = new DynamicParameters(new { state = state is { } one ? AlertWords.Of(one) : null, after, limit, server, now });
        HealthSql.AddParameters(parameters, current, options, now);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(Guid Id, string Name, string State, DateTime? LastAt, int Firing, int Pending, DateTime? Until)>(new CommandDefinition($"""
            with {subject},
            {HealthSql.Health},
            page as (
                select * from health where (@state::text is null or state = @state) and (@after::text is null or lower(name) > lower(@after)) order by lower(name) limit @limit)
            select p.server_id, p.name, p.state, p.last_at,
                (select count(*)::integer from alerts.alert a where a.server_id = p.server_id and a.state = 'firing'),
                (select count(*)::integer from alerts.alert a where a.server_id = p.server_id and a.state = 'pending'),
                (select max(m.to_at) from alerts.maintenance m where (m.server_id is null or m.server_id = p.server_id) and m.from_at <= @now and m.to_at > @now)
            from page p order by lower(p.name)
            """, parameters, cancellationToken: cancellationToken));
        return [.. rows.Select(r => (Row: r, State: AlertWords.Parse<HealthState>(r.State)))
            .Select(r => new ServerHealth(r.Row.Id, r.Row.Name, r.State, AlertWords.State(r.State), r.Row.LastAt, r.Row.Firing, r.Row.Pending, r.Row.Until))];
    }
}
