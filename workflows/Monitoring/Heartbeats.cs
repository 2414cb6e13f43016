using System.Globalization;
using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Questions about heartbeats.</summary>
public sealed class Heartbeats(NpgsqlDataSource database, CurrentMonitoring current, MonitoringOptions options, TimeProvider time)
{
    private sealed record SummaryRow
    {
        public Guid ServerId { get; init; }
        public DateTime? FirstAt { get; init; }
        public long Total { get; init; }
        public int Received { get; init; }
        public DateTime? LastAt { get; init; }
        public string? DockerState { get; init; }
        public string? DockerVersion { get; init; }
        public string? Components { get; init; }
        public DateTime? ContestedAt { get; init; }
    }

    /// <summary>One summary per id asked for, in that order; also for servers that never sent a beat.</summary>
    public async Task<IReadOnlyList<HeartbeatSummary>> Summary(IReadOnlyCollection<Guid> serverIds, CancellationToken cancellationToken = default)
    {
        var now = time.GetUtcNow().UtcDateTime;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<SummaryRow>(new CommandDefinition($"""
            select asked.server_id as "ServerId", known.first_at as "FirstAt", coalesce(known.total, 0)::bigint as "Total", bar.received as "Received",
                last.at as "LastAt", last.docker_state as "DockerState", last.docker_version as "DockerVersion", last.components::text as "Components",
                known.contested_at as "ContestedAt"
            from unnest(@ids) as asked(server_id)
            left join lateral (
                select min(s.first_at) filter (where s.kind = 'agent') as first_at, max(s.contested_at) as contested_at,
                    sum((select coalesce(sum(upper(r) - lower(r)), 0) from unnest(s.seen) r) - s.lost) filter (where s.kind = 'agent') as total
                from monitoring.source s where s.server_id = asked.server_id) known on true
            left join lateral (
                select count(*)::integer as received from (
                    select 1 from monitoring.heartbeat h
                    where h.server_id = asked.server_id and {HeartbeatWindow.Holds}
                    limit @healthyCount) in_time) bar on true
            left join lateral (
                select h.at, h.docker_state, h.docker_version, h.components from monitoring.heartbeat h
                where h.server_id = asked.server_id and not h.late order by h.at desc, h.seq desc limit 1) last on true
            """, HeartbeatWindow.AddTo(new DynamicParameters(new { ids = serverIds.ToArray() }), current, options, now), cancellationToken: cancellationToken));
        var found = rows.DistinctBy(r => r.ServerId).ToDictionary(r => r.ServerId);
        // Those that have been silent for an hour or more: their last beat is packed.
        var silent = found.Values.Where(r => r is { FirstAt: not null, LastAt: null }).Select(r => r.ServerId).ToArray();
        foreach (var (server, beat) in await LastPacked(connection, silent, cancellationToken))
        {
            found[server] = found[server] with
            {
                LastAt = beat.SentAt.UtcDateTime, DockerState = beat.Docker?.State, DockerVersion = beat.Docker?.Version, Components = StoredJson.Text(beat.Components),
            };
        }

        return [.. serverIds.Select(id => Summarise(found[id], now))];
    }

    /// <summary>The newest beats first, late ones at the time they were made.</summary>
    /// <exception cref="InvalidInputException"><paramref name="limit"/> is not 1 to 1000, or <paramref name="before"/> is no cursor.</exception>
    public async Task<HeartbeatPage> Recent(Guid serverId, int limit = 100, string? before = null, CancellationToken cancellationToken = default)
    {
        if (limit is < 1 or > 1000)
        {
            throw new InvalidInputException("limit", "A number from 1 to 1000.");
        }

        var cursor = Cursor.Parse(before, "at", "before");
        await using var beats = await StoredBeats.At(database, cancellationToken);
        var found = await beats.Newest(serverId, limit + 1, cursor is null ? null : (cursor.Time("before"), cursor.Id), cancellationToken);
        var next = found.Count > limit ? found[limit - 1] : null;
        return new HeartbeatPage([.. found.Take(limit)],
            next is null ? null : new Cursor("at", next.SentAt.UtcTicks.ToString(CultureInfo.InvariantCulture), next.Seq).ToString());
    }

    private static async Task<IEnumerable<(Guid ServerId, StoredHeartbeat Beat)>> LastPacked(NpgsqlConnection connection, Guid[] serverIds, CancellationToken cancellationToken)
    {
        var hours = serverIds.Length == 0 ? [] : await connection.QueryAsync<(Guid ServerId, byte[] Data)>(new CommandDefinition("""
            select asked.server_id, packed.data from unnest(@serverIds) as asked(server_id)
            cross join lateral (
                select h.data from monitoring.heartbeat_hour h where h.server_id = asked.server_id and h.on_time > 0 order by h.at desc limit 1) packed
            """, new { serverIds }, cancellationToken: cancellationToken));
        return hours.Select(h => (h.ServerId, PackedBeats.Unpack(h.Data).Last(beat => !beat.Late)));
    }

    private HeartbeatSummary Summarise(SummaryRow row, DateTime now)
    {
        var components = row.DockerState == "running" ? StoredJson.Read<List<ComponentReport>>(row.Components) ?? [] : [];
        var docker = row.DockerState is null ? null : new DockerReport(row.DockerState, row.DockerVersion);
        if (row.FirstAt is not { } first)
        {
            return new HeartbeatSummary(row.ServerId, 0, 0, HeartbeatStatus.None, null, 0, components, docker, row.ContestedAt);
        }

        var age = now - first;
        var young = age < current.Window;
        // The first beat is due at once. The second comes at the host's own phase, so it may be early.
        var due = young ? Math.Clamp(1 + (int)((age - options.Grace) / current.HeartbeatInterval), Math.Max(1, row.Received), current.HealthyCount) : current.HealthyCount;
        var status = young ? HeartbeatStatus.Starting
            : row.Received >= current.HealthyCount ? HeartbeatStatus.Healthy
            : row.Received > 0 ? HeartbeatStatus.Degraded
            : HeartbeatStatus.Silent;
        return new HeartbeatSummary(row.ServerId, due, row.Received, status, row.LastAt, row.Total, components, docker, row.ContestedAt);
    }
}
