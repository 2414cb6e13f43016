using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Writes what waits in one transaction at a time; the more waits, the larger the batch. A delivery is told only after the commit.</summary>
internal sealed class BatchWriter(
    IntakeQueue queue, NpgsqlDataSource database, DayPartitions days, CurrentMonitoring current, TimeProvider time, ILogger<BatchWriter> logger) : BackgroundService
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (await queue.WaitToRead(stoppingToken))
            {
                var batch = queue.Take();
                await Write(batch, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Also where the product stops before it has quite started.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        queue.Close();
        await base.StopAsync(cancellationToken);
        while (queue.Take() is { Count: > 0 } left)
        {
            GiveUp(left, "The product is stopping. Send it again later.", null);
        }
    }

    private async Task Write(IReadOnlyList<Delivery> batch, CancellationToken cancellationToken, int attempt = 1)
    {
        try
        {
            await Store(batch, cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure && attempt < 4)
        {
            // Another node, or the clean-up, was in the way; it is through now.
            await Write(batch, cancellationToken, attempt + 1);
        }
        catch (Exception exception) when (batch.Count > 1 && exception is PostgresException { IsTransient: false } or ArgumentException or InvalidOperationException)
        {
            // One of them is to blame: the others must not pay for it.
            logger.LogError(exception, "A batch of {Count} reports could not be stored; storing them one by one", batch.Count);
            foreach (var delivery in batch)
            {
                await Write([delivery], cancellationToken);
            }
        }
        catch (Exception exception) when (exception is NpgsqlException { IsTransient: true } or TimeoutException or IOException or OperationCanceledException)
        {
            logger.LogWarning("Measurements of {Count} reports wait on their hosts: {Reason}", batch.Count, exception.Message);
            GiveUp(batch, "The database does not take measurements just now. Keep them and send them again later.", exception);
        }
        catch (Exception exception)
        {
            logger.LogError(exception, "A report of server {Server} could not be stored", batch[0].ServerId);
            GiveUp(batch, "The measurements could not be stored; the product's log says why.", exception);
        }
    }

    private async Task Store(IReadOnlyList<Delivery> batch, CancellationToken cancellationToken)
    {
        await days.Ensure(Days(batch), cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var fresh = await new SourceMarks(connection, transaction).Claim(batch, cancellationToken);
        await HeartbeatRows.Copy(connection, batch.Select(d => (d, fresh[d])), cancellationToken);
        var tally = new DnsTally();
        foreach (var (delivery, records) in fresh)
        {
            foreach (var sample in records.Samples)
            {
                tally.Add(delivery.ServerId, sample);
            }
        }

        await new DnsRows(connection, transaction, current.NamesPerServer).Store(tally);
        await transaction.CommitAsync(cancellationToken);
        // There is room before anybody hears that there is.
        queue.Finished(batch);
        foreach (var delivery in batch)
        {
            delivery.Done.TrySetResult(new Accepted(fresh[delivery].Count, delivery.Records - fresh[delivery].Count, time.GetUtcNow()));
        }
    }

    private static IEnumerable<(string, DateOnly)> Days(IReadOnlyList<Delivery> batch) =>
        batch.SelectMany(d => d.Beats).Select(b => Day(b.At)).Distinct().Select(day => (DayPartitions.Heartbeat, day))
            .Concat(from day in batch.SelectMany(d => d.Samples).Select(s => Day(s.Minute)).Distinct() from table in DayPartitions.Counts select (table, day));

    private static DateOnly Day(DateTimeOffset at) => DateOnly.FromDateTime(at.UtcDateTime);

    private void GiveUp(IReadOnlyCollection<Delivery> batch, string message, Exception? reason)
    {
        queue.Finished(batch);
        foreach (var delivery in batch)
        {
            delivery.Done.TrySetException(new IngestionBusyException(message, RetryAfter, reason));
        }
    }
}
