using Microsoft.Extensions.Logging;

namespace ManagedServers.Engine;

/// <summary>Sends the lines and the progress of this node's runs every 250 ms, or as soon as one has 200 lines.</summary>
internal sealed class RunLogs(EngineDatabase database, Text text, Notifier notifier, TimeProvider time, ILogger<RunLogs> logger) : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly System.Collections.Concurrent.ConcurrentDictionary<RunLog, Guid> open = new();
    private readonly SemaphoreSlim full = new(0, 1);

    public RunLog Open(ClaimedRun run)
    {
        var log = new RunLog(run, database.Chatter, text, time, Wake);
        open[log] = run.Id;
        return log;
    }

    public void Close(RunLog log) => open.TryRemove(log, out _);

    public async Task Run(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await full.WaitAsync(Interval, CancellationToken.None);
            foreach (var (log, runId) in open)
            {
                await Send(log, runId);
            }
        }
    }

    private async Task Send(RunLog log, Guid runId)
    {
        try
        {
            if (log.HasPending && await log.Flush())
            {
                notifier.Changed(runId);
            }
        }
        catch (ObjectDisposedException)
        {
            // the run has just left this node, its last lines were sent before
        }
        catch (Exception fault)
        {
            logger.LogDebug(fault, "The log of run {Run} could not be sent; it is tried again.", runId);
        }
    }

    public void Dispose() => full.Dispose();

    private void Wake()
    {
        if (full.CurrentCount == 0)
        {
            try
            {
                full.Release();
            }
            catch (SemaphoreFullException)
            {
                // somebody else has just woken it
            }
        }
    }
}
