using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>
/// Hears from all nodes which runs changed and which are cancelled, over one connection of its own. What it misses while that is cut
/// comes with the next poll of the watchers and the next renewal of the lease.
/// </summary>
internal sealed class Listener(EngineDatabase database, Watchers watchers, LiveRuns runs, TimeProvider time, ILogger<Listener> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ProbeAfter = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Reconnect = TimeSpan.FromMilliseconds(500);

    public async Task Run(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await Listen(stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                logger.LogDebug(fault, "The connection that listens was cut; it is made again.");
                await Task.Delay(Reconnect, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task Listen(CancellationToken stop)
    {
        await using var connection = database.Dedicated("engine listen", Patience);
        connection.Notification += (_, told) => Hear(told);
        await connection.OpenAsync(stop);
        await using (var listen = new NpgsqlCommand($"listen {Notifier.RunsChannel}; listen {Notifier.CancelChannel}", connection))
        {
            await listen.ExecuteNonQueryAsync(stop);
        }

        // Whatever happened while nobody listened.
        watchers.Tell([Guid.Empty]);
        while (true)
        {
            if (!await connection.WaitAsync(ProbeAfter, stop))
            {
                await using var probe = new NpgsqlCommand("select 1", connection); // finds a connection that died without a word
                await probe.ExecuteNonQueryAsync(stop);
            }
        }
    }

    private void Hear(NpgsqlNotificationEventArgs told)
    {
        if (told.Channel == Notifier.RunsChannel)
        {
            watchers.Tell([.. told.Payload.Split(',').Select(p => Guid.TryParse(p, out var id) ? id : Guid.Empty)]);
        }
        else if (told.Payload.Split(' ') is [var run, var mode] && Guid.TryParse(run, out var id))
        {
            runs.Cancel(id, mode);
        }
    }
}
