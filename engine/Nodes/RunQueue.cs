using System.Threading.Channels;
using Dapper;
using Hangfire;
using Hangfire.States;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Engine;

/// <summary>A run that can go on, and the queue of its priority.</summary>
internal sealed record QueuedRun(Guid Id, string Queue);

/// <summary>Hands runs to Hangfire's workers: a job with the run's id and nothing else.</summary>
internal sealed class RunQueue : IDisposable
{
    /// <summary>Hangfire takes from queues in the order of their names.</summary>
    public static readonly string[] Names = ["1-high", "2-normal", "3-low"];

    public static string Of(RunPriority priority) => Names[1 - (int)priority];

    // Hangfire's client blocks its thread; with many callers at once it must not take all threads of the pool.
    private const int CallersAtOnce = 8;

    // Of jobs that are of no use any more. One that is left out stays in Hangfire's tables and does nothing: its claim is refused.
    private const int UselessKept = 10_000;

    private readonly EngineDatabase database;
    private readonly ILogger<RunQueue> logger;
    private readonly SemaphoreSlim callers = new(CallersAtOnce, CallersAtOnce);
    private readonly Channel<string> useless = Channel.CreateBounded<string>(UselessKept);
    private readonly BackgroundJobClient client;

    public RunQueue(HangfireStorage hangfire, EngineDatabase database, ILogger<RunQueue> logger)
    {
        (this.database, this.logger, client) = (database, logger, new BackgroundJobClient(hangfire.Storage));
        // It acts for nobody: not for whoever pressed a button while this was made.
        using (ExecutionContext.SuppressFlow())
        {
            _ = Task.Run(DeleteUseless);
        }
    }

    /// <summary>Does nothing worse than nothing when it fails: the pump hands the run over later.</summary>
    public async Task TryEnqueue(QueuedRun run, TimeSpan? delay = null)
    {
        var (id, queue) = run;
        try
        {
            IState state = delay is { } wait && wait > TimeSpan.Zero ? new ScheduledState(wait) : new EnqueuedState(queue);
            var job = await Create(id, queue, state);
            // Its commit need not reach the disk: a run whose note is lost is handed over again.
            await using var connection = await database.Chatter.OpenConnectionAsync();
            await connection.ExecuteAsync("update engine.run set job_id = @job, job_at = now() where id = @id and state in ('queued', 'waiting')", new { id, job });
        }
        catch (Exception fault)
        {
            logger.LogWarning(fault, "Run {Run} could not be handed to Hangfire; it is handed over again within seconds.", id);
        }
    }

    private async Task<string> Create(Guid id, string queue, IState state)
    {
        await callers.WaitAsync();
        try
        {
            return await Task.Run(() => client.Create<RunJob>(queue, j => j.Execute(id, null!), state));
        }
        finally
        {
            callers.Release();
        }
    }

    public void Dispose()
    {
        useless.Writer.TryComplete();
        callers.Dispose();
    }

    /// <summary>
    /// A job whose run has another one now, or whose node died; it would do nothing, but it would look as if it were at work. Nobody waits for it: a lock that a killed
    /// node has left in Hangfire's tables holds a deletion up for a minute.
    /// </summary>
    public void TryDelete(string? jobId)
    {
        if (jobId is not null && !useless.Writer.TryWrite(jobId))
        {
            logger.LogWarning("Hangfire's job {Job} is of no use any more and stays: too many others are to be deleted before it.", jobId);
        }
    }

    private async Task DeleteUseless()
    {
        await foreach (var job in useless.Reader.ReadAllAsync())
        {
            try
            {
                client.Delete(job);
            }
            catch (Exception fault)
            {
                logger.LogDebug(fault, "Hangfire's job {Job}, which is of no use any more, could not be deleted.", job);
            }
        }
    }
}
