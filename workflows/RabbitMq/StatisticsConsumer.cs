using ManagedServers.Workflows.Monitoring;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Workflows.RabbitMq;

/// <summary>Takes what monitors send over RabbitMQ, as long as that is enabled: connects, connects again, and follows changed settings, on every node.</summary>
internal sealed class StatisticsConsumer(
    RabbitMqSettingsStore store, RabbitMqNodes nodes, StatisticsMessages messages, RabbitMqOptions options, TimeProvider time, ILogger<StatisticsConsumer> logger) : BackgroundService
{
    private (RabbitMqState State, string? Reason)? told;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var retry = options.FirstRetry;
            while (true)
            {
                var settings = await Read(stoppingToken);
                if (!settings.Enabled)
                {
                    retry = options.FirstRetry;
                    await UntilOthers(settings, RabbitMqState.Off, null, null, stoppingToken);
                    continue;
                }

                try
                {
                    await using var queue = await StatisticsQueue.Open(settings, messages, options, time, logger, stoppingToken);
                    retry = options.FirstRetry;
                    await UntilOthers(settings, RabbitMqState.Connected, null, queue.Ended, stoppingToken);
                    if (queue.Ended.IsCompleted)
                    {
                        throw await queue.Ended;
                    }
                }
                catch (RabbitMqException problem)
                {
                    await UntilOthers(settings, RabbitMqState.Failed, problem.Message, Task.Delay(retry, time, stoppingToken), stoppingToken);
                    retry = TimeSpan.FromTicks(Math.Min(2 * retry.Ticks, options.LongestRetry.Ticks));
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await nodes.Forget(cancellationToken);
        }
        catch (Exception problem) when (IsDatabases(problem))
        {
            // It is not shown for long: it no longer says that it is there.
        }
    }

    /// <summary>Says how it stands, again and again, until the settings are others or something has ended.</summary>
    private async Task UntilOthers(RabbitMqSettings settings, RabbitMqState state, string? reason, Task? end, CancellationToken cancellationToken)
    {
        if (told != (state, reason))
        {
            told = (state, reason);
            logger.Log(state == RabbitMqState.Failed ? LogLevel.Warning : LogLevel.Information, "RabbitMQ {State} {Reason}", state, reason ?? (state == RabbitMqState.Off ? "" : settings.ToString()));
        }

        do
        {
            try
            {
                await nodes.Tell(state, reason, cancellationToken);
                if ((await store.Read(cancellationToken)).Version != settings.Version)
                {
                    return;
                }
            }
            catch (Exception problem) when (IsDatabases(problem))
            {
                // The settings stay as they were while nobody can read them.
                logger.LogDebug(problem, "The settings of RabbitMQ could not be read; they are at the next turn.");
            }

            var turn = Task.Delay(options.Turn, time, cancellationToken);
            await Task.WhenAny(turn, end ?? turn);
            cancellationToken.ThrowIfCancellationRequested();
        }
        while (end is not { IsCompleted: true });
    }

    private async Task<RabbitMqSettings> Read(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await store.Read(cancellationToken);
            }
            catch (Exception problem) when (IsDatabases(problem))
            {
                logger.LogDebug(problem, "The settings of RabbitMQ could not be read; they are at the next turn.");
                await Task.Delay(options.Turn, time, cancellationToken);
            }
        }
    }

    internal static bool IsDatabases(Exception problem) => problem is NpgsqlException or TimeoutException or IOException or ObjectDisposedException;
}
