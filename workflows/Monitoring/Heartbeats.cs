using System.Globalization;
using System.Text.Json;
using Dapper;
using ManagedServers.Engine;
using Npgsql;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Questions about heartbeats.</summary>
public sealed class Heartbeats(NpgsqlDataSource database, CurrentMonitoring current, MonitoringOptions options, TimeProvider time)
{
    private sealed class SummaryRow
    {
        public Guid ServerId { get; init; }
        public DateTime? FirstAt { get; init; }
        public long Total { get; init; }
        public int Received { get; init; }
        public DateTime? LastAt { get; init; }
        public string? DockerState { get; init; }
        public string? DockerVersion { get; init; }
        public string? Components { get; init; }
    }

    private sealed class Row
    {
        public long Seq { get; init; }
        public DateTime At { get; init; }
        public DateTime ReceivedAt { get; init; }
        public bool Late { get; init; }
        public string? AgentVersion { get; init; }
        public double? Uptime { get; init; }
        public float? Load1 { get; init; }
        public float? Load5 { get; init; }
        public float? Load15 { get; init; }
        public long? MemoryTotal { get; init; }
        public long? MemoryAvailable { get; init; }
        public long? SwapTotal { get; init; }
        public long? SwapUsed { get; init; }
        public int? TcpEstablished { get; init; }
        public int? Udp { get; init; }
        public string? DockerState { get; init; }
        public string? DockerVersion { get; init; }
        public string? Disks { get; init; }
        public string? Components { get; init; }
    }

    /// <summary>One summary per id asked for, in that order; also for servers that never sent a beat.</summary>
    public async Task<IReadOnlyList<HeartbeatSummary>> Summary(IReadOnlyCollection<Guid> serverIds, CancellationToken cancellationToken = default)
    {
        var now = time.GetUtcNow().UtcDateTime;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<SummaryRow>(new CommandDefinition("""
            select asked.server_id as "ServerId", known.first_at as "FirstAt", coalesce(known.total, 0)::bigint as "Total", bar.received as "Received",
                last.at as "LastAt", last.docker_state as "DockerState", last.docker_version as "DockerVersion", last.components::text as "Components"
            from unnest(@ids) as asked(server_id)
            left join lateral (
                select min(s.first_at) as first_at, sum((select coalesce(sum(upper(r) - lower(r)), 0) from unnest(s.seen) r) - s.lost) as total
                from monitoring.source s where s.server_id = asked.server_id and s.kind = 'agent') known on true
            left join lateral (
                select count(*)::integer as received from (
                    select 1 from monitoring.heartbeat h
                    where h.server_id = asked.server_id and h.at > @earliest and h.received_at > @since and not h.late limit @most) in_time) bar on true
            left join lateral (
                select h.at, h.docker_state, h.docker_version, h.components from monitoring.heartbeat h
                where h.server_id = asked.server_id and not h.late order by h.at desc, h.seq desc limit 1) last on true
            """, new
        {
            ids = serverIds.ToArray(),
            since = now - current.Window - options.Grace,
            earliest = now - current.Window - 2 * options.Grace,
            most = current.HealthyCount,
        }, cancellationToken: cancellationToken));
        var found = rows.DistinctBy(r => r.ServerId).ToDictionary(r => r.ServerId, r => Summarise(r, now));
        return [.. serverIds.Select(id => found[id])];
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
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = (await connection.QueryAsync<Row>(new CommandDefinition("""
            select seq as "Seq", at as "At", received_at as "ReceivedAt", late as "Late", agent_version as "AgentVersion", uptime as "Uptime",
                load1 as "Load1", load5 as "Load5", load15 as "Load15", memory_total as "MemoryTotal", memory_available as "MemoryAvailable",
                swap_total as "SwapTotal", swap_used as "SwapUsed", tcp_established as "TcpEstablished", udp as "Udp",
                docker_state as "DockerState", docker_version as "DockerVersion", disks::text as "Disks", components::text as "Components"
            from monitoring.heartbeat
            where server_id = @serverId and (@at::timestamptz is null or (at, seq) < (@at, @seq))
            order by at desc, seq desc
            limit @limit + 1
            """, new { serverId, at = cursor?.Time("before"), seq = cursor?.Id ?? 0, limit }, cancellationToken: cancellationToken))).AsList();
        var next = rows.Count > limit ? rows[limit - 1] : null;
        return new HeartbeatPage([.. rows.Take(limit).Select(Stored)],
            next is null ? null : new Cursor("at", next.At.Ticks.ToString(CultureInfo.InvariantCulture), next.Seq).ToString());
    }

    private HeartbeatSummary Summarise(SummaryRow row, DateTime now)
    {
        var components = row.DockerState == "running" ? Json<List<ComponentReport>>(row.Components) ?? [] : [];
        var docker = row.DockerState is null ? null : new DockerReport(row.DockerState, row.DockerVersion);
        if (row.FirstAt is not { } first)
        {
            return new HeartbeatSummary(row.ServerId, 0, 0, HeartbeatStatus.None, null, 0, components, docker);
        }

        var age = now - first;
        var young = age < current.Window;
        // The first beat is due at once. The second comes at the host's own phase, so it may be early.
        var due = young ? Math.Clamp(1 + (int)((age - options.Grace) / current.HeartbeatInterval), Math.Max(1, row.Received), current.HealthyCount) : current.HealthyCount;
        var status = young ? HeartbeatStatus.Starting
            : row.Received >= current.HealthyCount ? HeartbeatStatus.Healthy
            : row.Received > 0 ? HeartbeatStatus.Degraded
            : HeartbeatStatus.Silent;
        return new HeartbeatSummary(row.ServerId, due, row.Received, status, row.LastAt, row.Total, components, docker);
    }

    private static StoredHeartbeat Stored(Row row) => new(
        row.Seq, row.At, row.ReceivedAt, row.Late, row.AgentVersion, row.Uptime,
        row.Load1 is null ? null : [Decimal(row.Load1), Decimal(row.Load5), Decimal(row.Load15)],
        row.MemoryTotal is { } memory ? new MemoryUse(memory, row.MemoryAvailable ?? 0) : null,
        row.SwapTotal is { } swap ? new SwapUse(swap, row.SwapUsed ?? 0) : null,
        Json<List<DiskUse>>(row.Disks),
        row.TcpEstablished is { } tcp ? new ConnectionCount(tcp, row.Udp ?? 0) : null,
        row.DockerState is { } docker ? new DockerReport(docker, row.DockerVersion) : null,
        Json<List<ComponentReport>>(row.Components));

    // 0.1f is 0.10000000149 as a double; the kernel gives two decimals.
    private static double Decimal(float? value) => Math.Round(value ?? 0, 2);

    private static T? Json<T>(string? text) where T : class => text is null ? null : JsonSerializer.Deserialize<T>(text, EngineJson.Options);
}
