using Hangfire;
using Hangfire.Server;

namespace ManagedServers.Engine;

/// <summary>What Hangfire knows of a run: its id.</summary>
internal sealed class RunJob(Dispatcher dispatcher)
{
    /// <summary>Called by a worker of Hangfire. Gives the one line of a run that paused or failed; null otherwise.</summary>
    // The engine decides what is tried again, and when.
    [RunJobStates, AutomaticRetry(Attempts = 0)]
    public Task<string?> Execute(Guid runId, PerformContext job) => dispatcher.Dispatch(runId, job.BackgroundJob.Id);
}
