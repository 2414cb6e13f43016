using Dapper;
using ManagedServers.Workflows.Monitoring;
using Npgsql;

namespace ManagedServers.Workflows.Pull;

/// <summary>A server whose statistics the product fetches.</summary>
public sealed record PulledServer
{
    public required Guid Id { get; init; }
    public required string Name { get; init; }

    /// <summary>Another one where anything about the way to it has changed.</summary>
    public required string Version { get; init; }

    /// <summary>A monitor is installed, and nobody has stopped it.</summary>
    public bool HasMonitor { get; init; }
}

/// <summary>Which servers are read by pull, and how that went. The table is monitoring.pull; alert rules read failures and reason there.</summary>
public sealed class PulledServers(NpgsqlDataSource database, CurrentMonitoring current)
{
    /// <summary>So many in a row are no accident any more.</summary>
    public const int ToldAfter = 3;

    private const int LongestReason = 1000;

    // One that is down costs a connection's patience with each try; back again, it is read no later than this.
    private static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(2);

    // An install reads by itself when it is so far.
    private static readonly TimeSpan Installing = TimeSpan.FromMinutes(5);

    private const string Found =
        """
        select s.id, s.name, exists (select from servers.component c where c.server_id = s.id and c.name = 'monitor' and c.stopped_by is null) as has_monitor,
            concat_ws(' ', s.xmin, (select string_agg(h.xmin::text, ' ' order by h.position) from servers.route_hop h where h.route_id = s.route_id)) as version
        from monitoring.pull p join servers.server s on s.id = p.server_id
        """;

    /// <summary>From now on something waits on its host to be fetched.</summary>
    internal async Task Begin(Guid serverId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync("insert into monitoring.pull (server_id, due_at) values (@serverId, now() + @Installing) on conflict do nothing", new { serverId, Installing });
    }

    internal async Task End(Guid serverId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync("delete from monitoring.pull where server_id = @serverId", new { serverId });
    }

    internal async Task<bool> Any(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<bool>("select exists (select from monitoring.pull)");
    }

    internal async Task<IReadOnlyList<PulledServer>> Due(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return [.. await connection.QueryAsync<PulledServer>($"{Found} where p.due_at <= now() order by s.id")];
    }

    /// <summary>Null where it is not read by pull.</summary>
    internal async Task<PulledServer?> Find(Guid serverId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<PulledServer>($"{Found} where s.id = @serverId", new { serverId });
    }

    /// <summary>Of the servers that could not be read three times in a row, or more often: why.</summary>
    public async Task<IReadOnlyDictionary<Guid, string>> Problems(IReadOnlyCollection<Guid> serverIds, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<(Guid Id, string Reason)>(
            "select server_id, reason from monitoring.pull where server_id = any(@ids) and failures >= @ToldAfter", new { ids = serverIds.ToArray(), ToldAfter })).ToDictionary(p => p.Id, p => p.Reason);
    }

    /// <summary>How it went: null where it was read, and otherwise why not. One that goes on failing rests longer and longer.</summary>
    internal async Task Note(IReadOnlyCollection<(Guid ServerId, string? Problem)> outcomes, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            """
            update monitoring.pull p set reason = n.reason, failures = case when n.reason is null then 0 else p.failures + 1 end,
                pulled_at = case when n.reason is null then now() else p.pulled_at end, failed_at = case when n.reason is null then p.failed_at else now() end,
                due_at = now() + case when n.reason is null or p.failures + 1 < @ToldAfter then interval '0' else least(@LongestRest, @interval * power(2, least(p.failures + 1 - @ToldAfter, 6))) end
            from unnest(@ids, @reasons) n (server_id, reason) where p.server_id = n.server_id
            """,
            new
            {
                ids = outcomes.Select(o => o.ServerId).ToArray(), reasons = outcomes.Select(o => o.Problem is { } problem ? Short(problem) : null).ToArray(),
                ToldAfter, LongestRest, interval = current.PullInterval,
            });
    }

    private static string Short(string problem)
    {
        var storable = problem.Replace("\0", "", StringComparison.Ordinal);
        return storable.Length <= LongestReason ? storable : storable[..LongestReason] + "…";
    }
}
