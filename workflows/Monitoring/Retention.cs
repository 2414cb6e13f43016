using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Once an hour: makes the next day's partitions ahead of midnight, drops those that are kept no longer and empties those that were packed.</summary>
internal sealed class Retention(
    NpgsqlDataSource database, DayPartitions days, CurrentMonitoring current, MonitoringOptions options, TimeProvider time, ILogger<Retention> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    // A spool that has been silent for so long can have nothing left that is young enough to be accepted.
    private static readonly TimeSpan SourcesKept = TimeSpan.FromDays(400);

    public async Task CleanUp(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var tomorrow = DateOnly.FromDateTime(now).AddDays(1);
        await days.Ensure(DayPartitions.Counts.Append(DayPartitions.Heartbeat).Select(table => (table, tomorrow)), cancellationToken);
        var dropped = 0;
        foreach (var (table, kept) in Kept())
        {
            dropped += await days.Drop(table, DateOnly.FromDateTime(now - kept), cancellationToken);
        }

        await days.Shrink(DayPartitions.Heartbeat, DateOnly.FromDateTime(now - options.PackedAfter), cancellationToken);
        var sources = await DropSources(now - SourcesKept, cancellationToken);
        if (dropped + sources > 0)
        {
            logger.LogInformation("Dropped {Days} partitions of measurements and {Sources} spools that are kept no longer", dropped, sources);
        }
    }

    // Also where the product ends before it has begun, because another part of it could not start: that is told by that part alone.
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                await CleanUpOrLater(stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private IEnumerable<(string Table, TimeSpan Kept)> Kept() =>
    [
        (DayPartitions.Heartbeat, current.HeartbeatsKept),
        (DayPartitions.HeartbeatHour, current.HeartbeatsKept),
        .. Level.All.Select(level => (level.Table, level.Kept(current))),
        .. DayPartitions.Counts.Select(table => (table, current.HitsKept)),
    ];

    private async Task CleanUpOrLater(CancellationToken cancellationToken)
    {
        try
        {
            await CleanUp(cancellationToken);
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException)
        {
            logger.LogWarning(exception, "Old measurements could not be cleaned up; trying again in an hour");
        }
    }

    private async Task<int> DropSources(DateTime before, CancellationToken cancellationToken)
    {
        const int batch = 1000;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var (total, last) = (0, batch);
        while (last == batch)
        {
            last = await connection.ExecuteAsync(
                "delete from monitoring.source where id in (select id from monitoring.source where last_at < @before limit @batch)", new { before, batch });
            total += last;
        }

        return total;
    }
}
