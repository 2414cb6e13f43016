using Microsoft.Extensions.Logging;

namespace ManagedServers.Engine;

/// <summary>Fires what is due and was woken by nobody: its job was lost with a node, Hangfire is behind, or every worker is taken. Safe on any number of nodes.</summary>
internal sealed class ScheduleWatch(ScheduleTable table, ScheduleFirer firer, ScheduleAlarm alarm, EngineOptions options, TimeProvider time, ILogger<ScheduleWatch> logger)
{
    // Hangfire's polls take one to two seconds to bring a wake-up.
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ReconcileEvery = TimeSpan.FromMinutes(1);

    public async Task Run(CancellationToken stop)
    {
        long? reconciled = null;
        while (!stop.IsCancellationRequested)
        {
            if (reconciled is not { } last || time.GetElapsedTime(last) > ReconcileEvery)
            {
                // What became due while no node ran has nobody who will wake it.
                await Try("all schedules", () => FireOverdue(reconciled is null ? TimeSpan.Zero : Late));
                await Try("Hangfire's jobs of all schedules", alarm.Reconcile);
                reconciled = time.GetTimestamp();
            }

            await Task.Delay(options.SweepInterval * (0.8 + (0.4 * Random.Shared.NextDouble())), time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stop.IsCancellationRequested)
            {
                await Try("all schedules", () => FireOverdue(Late));
            }
        }
    }

    private async Task FireOverdue(TimeSpan late)
    {
        foreach (var name in await table.Overdue(late))
        {
            // One that fails must not keep the others from their times.
            await Try($"schedule {name}", () => firer.Fire(name, null, woken: false));
        }
    }

    private async Task Try(string what, Func<Task> look)
    {
        try
        {
            await look();
        }
        catch (Exception fault)
        {
            logger.LogWarning("The sweep over {What} failed and is tried again: {Why}", what, fault.Message);
        }
    }
}
