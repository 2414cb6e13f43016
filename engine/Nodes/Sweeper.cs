using Microsoft.Extensions.Logging;

namespace ManagedServers.Engine;

/// <summary>Looks every two seconds for what was left lying.</summary>
internal sealed class Sweeper(Recovery recovery, Housekeeping housekeeping, EngineOptions options, TimeProvider time, ILogger<Sweeper> logger)
{
    public async Task Run(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            // Nodes that started together do not sweep together.
            await Task.Delay(options.SweepInterval * (0.8 + (0.4 * Random.Shared.NextDouble())), time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested)
            {
                return;
            }

            try
            {
                await recovery.TakeBackExpired();
                await recovery.TakeBackUnknown();
                await recovery.TellEndOfLeft();
                await recovery.FreeKeys();
                await recovery.ShareKeys();
                await recovery.Pump(options.PumpAfter);
                await recovery.TellUnknown(options.PumpAfter);
                await recovery.CancelOrphans();
                await recovery.BreakCircles();
                await housekeeping.Keep();
            }
            catch (Exception fault)
            {
                logger.LogWarning("The sweep failed and is tried again: {Why}", fault.Message);
            }
        }
    }
}
