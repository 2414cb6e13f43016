using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>
/// Packs the hours that are over and rolls them up, and once more where beats came late. Small transactions, each of which leaves everything true:
/// it may be killed and run anywhere, and goes on with what still stands as rows.
/// </summary>
internal sealed class Compaction(
    NpgsqlDataSource database, DayPartitions days, MonitoringOptions options, TimeProvider time, ILogger<Compaction> logger) : BackgroundService
{
    /// <summary>"msco" in ASCII. Held, in a transaction, by whoever packs or forgets.</summary>
    public const long LockKey = 0x6D73636F;

    /// <summary>Of one server and hour, two a second: what comes beyond it is a fault of the sender, and would have to be unpacked whole.</summary>
    public const int MostBeats = 7200;

    private const int ServersAtOnce = 500;
    private const int HoursAtOnce = 50;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    /// <returns>How many beats were packed.</returns>
    public async Task<long> Compact(CancellationToken cancellationToken)
    {
        var before = Level.Minute.Block((time.GetUtcNow() - options.PackedAfter).UtcDateTime);
        var (packed, last) = (0L, Guid.Empty);
        while (true)
        {
            var servers = await Servers(last, cancellationToken);
            if (servers.Length == 0)
            {
                return packed;
            }

            foreach (var hours in AtOnce(await Waiting(servers, before, cancellationToken)))
            {
                if (await PackOrTell(hours, cancellationToken) is not { } count)
                {
                    return packed; // another node is at it
                }

                packed += count;
            }

            last = servers[^1];
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                await CompactOrLater(stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task CompactOrLater(CancellationToken cancellationToken)
    {
        try
        {
            await Compact(cancellationToken);
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException)
        {
            logger.LogWarning(exception, "Heartbeats could not be packed; trying again in {Minutes} min", Interval.TotalMinutes);
        }
    }

    private async Task<Guid[]> Servers(Guid after, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return [.. await connection.QueryAsync<Guid>(new CommandDefinition("""
            select distinct server_id from monitoring.source where kind = 'agent' and server_id > @after order by server_id limit @ServersAtOnce
            """, new { after, ServersAtOnce }, cancellationToken: cancellationToken))];
    }

    private async Task<IEnumerable<WaitingHour>> Waiting(Guid[] servers, DateTime before, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.QueryAsync<WaitingHour>(new CommandDefinition("""
            select server_id as "ServerId", date_trunc('hour', at, 'UTC') as "Hour", count(*) as "Beats" from monitoring.heartbeat
            where server_id = any(@servers) and at < @before group by 1, 2 order by 1, 2
            """, new { servers, before }, cancellationToken: cancellationToken));
    }

    // As many as are held in memory together.
    private static IEnumerable<IReadOnlyList<WaitingHour>> AtOnce(IEnumerable<WaitingHour> hours)
    {
        var (some, beats) = (new List<WaitingHour>(), 0L);
        foreach (var hour in hours)
        {
            if (some.Count == HoursAtOnce || (some.Count > 0 && beats + hour.Beats > MostBeats))
            {
                yield return some;
                (some, beats) = ([], 0);
            }

            some.Add(hour);
            beats += hour.Beats;
        }

        if (some.Count > 0)
        {
            yield return some;
        }
    }

    private async Task<long?> PackOrTell(IReadOnlyList<WaitingHour> hours, CancellationToken cancellationToken)
    {
        try
        {
            return await Pack(hours, cancellationToken);
        }
        catch (InvalidDataException) when (hours.Count > 1)
        {
            // One of them is to blame: the others must not wait for it.
            var packed = 0L;
            foreach (var hour in hours)
            {
                packed += await PackOrTell([hour], cancellationToken) ?? 0;
            }

            return packed;
        }
        catch (InvalidDataException exception)
        {
            logger.LogError(exception, "What is stored of server {Server} from {Hour:u} on cannot be read; its late heartbeats stay as they are", hours[0].ServerId, hours[0].Hour);
            return 0;
        }
    }

    private async Task<long?> Pack(IReadOnlyList<WaitingHour> hours, CancellationToken cancellationToken)
    {
        await days.Ensure(hours.Select(h => DateOnly.FromDateTime(h.Hour)).Distinct().SelectMany(day => DayPartitions.Packed.Select(table => (table, day))), cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (!await connection.ExecuteScalarAsync<bool>(new CommandDefinition("select pg_try_advisory_xact_lock(@LockKey)", new { LockKey }, transaction, cancellationToken: cancellationToken)))
        {
            return null;
        }

        var packed = await new HourPacking(connection, transaction, cancellationToken).Pack(hours);
        await transaction.CommitAsync(cancellationToken);
        foreach (var hour in hours.Where(h => h.Beats > MostBeats))
        {
            logger.LogWarning("Server {Server} sent {Beats} heartbeats for the hour from {Hour:u} on; {Most} of them were kept", hour.ServerId, hour.Beats, hour.Hour, MostBeats);
        }

        return packed;
    }
}
