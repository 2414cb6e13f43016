using Npgsql;
using NpgsqlTypes;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Copies beats into their days.</summary>
internal static class HeartbeatRows
{
    public static async Task Copy(NpgsqlConnection connection, IEnumerable<(Delivery Delivery, FreshRecords Fresh)> batch, CancellationToken cancellationToken)
    {
        await using var copy = await connection.BeginBinaryImportAsync("""
            copy monitoring.heartbeat (server_id, at, received_at, source_id, seq, late, agent_version, uptime, load1, load5, load15, cpu,
                memory_total, memory_available, memory_free, memory_buffers, memory_cached, memory_committed, swap_total, swap_used,
                tcp_established, udp, tcp, processes, docker_state, docker_version, disks, components, network)
            from stdin (format binary)
            """, cancellationToken);
        foreach (var (delivery, fresh) in batch)
        {
            foreach (var row in fresh.Beats)
            {
                await copy.StartRowAsync(cancellationToken);
                await copy.WriteAsync(delivery.ServerId, NpgsqlDbType.Uuid, cancellationToken);
                await copy.WriteAsync(row.At.UtcDateTime, NpgsqlDbType.TimestampTz, cancellationToken);
                await copy.WriteAsync(delivery.Clock.ReceivedAt.UtcDateTime, NpgsqlDbType.TimestampTz, cancellationToken);
                await copy.WriteAsync(fresh.SourceId, NpgsqlDbType.Bigint, cancellationToken);
                await copy.WriteAsync(row.Beat.Seq!.Value, NpgsqlDbType.Bigint, cancellationToken);
                await copy.WriteAsync(row.Late, NpgsqlDbType.Boolean, cancellationToken);
                await Metrics(copy, row.Beat, cancellationToken);
            }
        }

        await copy.CompleteAsync(cancellationToken);
    }

    private static async Task Metrics(NpgsqlBinaryImporter copy, Heartbeat beat, CancellationToken cancellationToken)
    {
        await Text(beat.AgentVersion, NpgsqlDbType.Text);
        await Number(beat.UptimeSeconds, NpgsqlDbType.Double);
        for (var i = 0; i < 3; i++)
        {
            await Number((float?)beat.Load?[i], NpgsqlDbType.Real);
        }

        await List(beat.Cpu?.Shares.Select(share => (float)share).ToArray(), NpgsqlDbType.Real);
        await Number(beat.Memory?.TotalBytes, NpgsqlDbType.Bigint);
        await Number(beat.Memory?.AvailableBytes, NpgsqlDbType.Bigint);
        await Number(beat.Memory?.FreeBytes, NpgsqlDbType.Bigint);
        await Number(beat.Memory?.BuffersBytes, NpgsqlDbType.Bigint);
        await Number(beat.Memory?.CachedBytes, NpgsqlDbType.Bigint);
        await Number(beat.Memory?.CommittedBytes, NpgsqlDbType.Bigint);
        await Number(beat.Swap?.TotalBytes, NpgsqlDbType.Bigint);
        await Number(beat.Swap?.UsedBytes, NpgsqlDbType.Bigint);
        await Number(beat.Connections?.TcpEstablished, NpgsqlDbType.Integer);
        await Number(beat.Connections?.Udp, NpgsqlDbType.Integer);
        await List(beat.Connections?.Tcp?.Counts, NpgsqlDbType.Integer);
        await Number(beat.Processes, NpgsqlDbType.Integer);
        await Text(beat.Docker?.State, NpgsqlDbType.Text);
        await Text(beat.Docker?.Version, NpgsqlDbType.Text);
        await Json(Listed(beat.Disks, d => d!.Mount));
        await Json(StoredJson.Bytes(beat.Components));
        await Json(Listed(beat.Network, n => n!.Interface));

        Task Json(byte[]? json) => json is null ? copy.WriteNullAsync(cancellationToken) : copy.WriteAsync(json, NpgsqlDbType.Jsonb, cancellationToken);

        Task Text(string? value, NpgsqlDbType type) => value is null ? copy.WriteNullAsync(cancellationToken) : copy.WriteAsync(value, type, cancellationToken);

        Task Number<T>(T? value, NpgsqlDbType type) where T : struct => value is { } known ? copy.WriteAsync(known, type, cancellationToken) : copy.WriteNullAsync(cancellationToken);

        Task List<T>(T[]? values, NpgsqlDbType type) => values is null ? copy.WriteNullAsync(cancellationToken) : copy.WriteAsync(values, NpgsqlDbType.Array | type, cancellationToken);
    }

    // One mounted over another has the same path, and it is by the path that it is told from others.
    private static byte[]? Listed<T>(IReadOnlyList<T>? list, Func<T, string?> label) => list is { Count: > 0 } ? StoredJson.Bytes(list.DistinctBy(label).ToList()) : null;
}
