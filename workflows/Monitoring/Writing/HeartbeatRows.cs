using System.Text.Json;
using ManagedServers.Engine;
using Npgsql;
using NpgsqlTypes;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Copies beats into their days.</summary>
internal static class HeartbeatRows
{
    public static async Task Copy(NpgsqlConnection connection, IEnumerable<(Delivery Delivery, FreshRecords Fresh)> batch, CancellationToken cancellationToken)
    {
        await using var copy = await connection.BeginBinaryImportAsync("""
            copy monitoring.heartbeat (server_id, at, received_at, source_id, seq, late, agent_version, uptime, load1, load5, load15,
                memory_total, memory_available, swap_total, swap_used, tcp_established, udp, docker_state, docker_version, disks, components)
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
        await Write(beat.AgentVersion, NpgsqlDbType.Text);
        await Write(beat.UptimeSeconds, NpgsqlDbType.Double);
        for (var i = 0; i < 3; i++)
        {
            await Write((float?)beat.Load?[i], NpgsqlDbType.Real);
        }

        await Write(beat.Memory?.TotalBytes, NpgsqlDbType.Bigint);
        await Write(beat.Memory?.AvailableBytes, NpgsqlDbType.Bigint);
        await Write(beat.Swap?.TotalBytes, NpgsqlDbType.Bigint);
        await Write(beat.Swap?.UsedBytes, NpgsqlDbType.Bigint);
        await Write(beat.Connections?.TcpEstablished, NpgsqlDbType.Integer);
        await Write(beat.Connections?.Udp, NpgsqlDbType.Integer);
        await Write(beat.Docker?.State, NpgsqlDbType.Text);
        await Write(beat.Docker?.Version, NpgsqlDbType.Text);
        await Write(Json(beat.Disks), NpgsqlDbType.Jsonb);
        await Write(Json(beat.Components), NpgsqlDbType.Jsonb);

        Task Write<T>(T? value, NpgsqlDbType type) =>
            value is null ? copy.WriteNullAsync(cancellationToken) : copy.WriteAsync<object>(value, type, cancellationToken);
    }

    private static string? Json<T>(T? value) => value is null ? null : JsonSerializer.Serialize(value, EngineJson.Options);
}
