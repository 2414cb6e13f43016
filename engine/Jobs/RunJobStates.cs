using Hangfire.Common;
using Hangfire.States;

namespace ManagedServers.Engine;

/// <summary>
/// Gives the buttons of Hangfire's pages the engine's meaning: <i>Requeue</i> is a retry, <i>Delete</i> a cancel. And a job whose run paused or failed shows
/// as failed, with one line.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RunJobStatesAttribute : JobFilterAttribute, IElectStateFilter
{
    public void OnStateElection(ElectStateContext context)
    {
        if (context.CandidateState is SucceededState { Result: string line })
        {
            context.CandidateState = new RunStoppedState(line);
        }
        else if (context.CurrentState is not null && JobPages.Actor is { } actor && context.BackgroundJob.Job.Args is [Guid run, ..] && JobRuns.Of(context.Storage) is { } runs)
        {
            var job = context.BackgroundJob.Id;
            context.CandidateState = context.CandidateState switch
            {
                EnqueuedState again => runs.Requeue(run, job, actor) switch
                {
                    // Delivered once more beside the run's new job, which does nothing: the page expects what it asked for.
                    (true, var said) => new EnqueuedState(again.Queue) { Reason = said },
                    (false, var said) => new DeletedState { Reason = said },
                },
                DeletedState => new DeletedState { Reason = runs.Delete(run, job, actor).Said },
                var other => other,
            };
        }
    }
}

/// <summary>Shown among Hangfire's failed jobs; unlike its own failures it is forgotten after a while, because the run is what counts.</summary>
internal sealed class RunStoppedState(string line) : IState
{
    public string Name => FailedState.StateName;

    public string? Reason => line;

    public bool IsFinal => true;

    public bool IgnoreJobLoadException => false;

    public Dictionary<string, string> SerializeData() => new()
    {
        ["FailedAt"] = JobHelper.SerializeDateTime(TimeProvider.System.GetUtcNow().UtcDateTime),
        ["ExceptionType"] = "Run",
        ["ExceptionMessage"] = line,
        ["ExceptionDetails"] = line,
    };
}
