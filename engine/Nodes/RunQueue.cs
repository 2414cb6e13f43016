using Dapper;
using Hangfire;
using Hangfire.States;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Engine;

/// <summary>A run that can go on, and the queue of its priority.</summary>
internal sealed record QueuedRun(Guid Id, string Queue);

/// <summary>Hands runs to Hangfire's workers: a job with the run's id and nothing else.</summary>
internal sealed class RunQueue(HangfireStorage hangfire, EngineDatabase database, ILogger<RunQueue> logger) : IDisposable
{
    /// <summary>Hangfire takes from queues in the order of their names.</summary>
    public static readonly string[] Names = ["1-high", "2-normal", "3-low"];

    public static string Of(RunPriority priority) => Names[1 - (int)priority];

    // Hangfire's client blocks its thread; with many callers at once it must not take all threads of the pool.
    private const int CallersAtOnce = 8;

    private readonly SemaphoreSlim callers = new(CallersAtOnce, CallersAtOnce);
    private readonly BackgroundJobClient client = new(hangfire.Storage);

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

    public void Dispose() => callers.Dispose();

    /// <summary>The job of a node that died; it would do nothing, but it would look as if it were at work.</summary>
    public void TryDelete(string? jobId)
    {
        try
        {
            if (jobId is not null)
            {
                client.Delete(jobId);
            }
        }
        catch (Exception fault)
        {
            logger.LogDebug(fault, "Hangfire's job {Job} of a lost node could not be deleted.", jobId);
        }
    }
}
