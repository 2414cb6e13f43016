using System.Runtime.CompilerServices;
using Dapper;
using Hangfire;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>
/// What Hangfire's pages ask of the engine. They know only their storage and call without waiting for tasks, so the engine is found by the storage,
/// and its answers are waited for on the page's thread.
/// </summary>
internal sealed class JobRuns(NpgsqlDataSource database, RunActions actions, RunReader reader, ISchedules schedules)
{
    private static readonly ConditionalWeakTable<JobStorage, JobRuns> ByStorage = [];

    public static JobRuns? Of(JobStorage storage) => ByStorage.TryGetValue(storage, out var runs) ? runs : null;

    /// <summary>From here on it answers the pages of that storage.</summary>
    public void Answer(JobStorage storage, Func<Guid, string> runPage)
    {
        PageOf = runPage;
        ByStorage.AddOrUpdate(storage, this);
    }

    public Func<Guid, string> PageOf { get; private set; } = _ => "";

    /// <summary>What came of it, in a sentence.</summary>
    public (bool Done, string Said) Requeue(Guid run, string job, string actor) =>
        Try(run, job, () => actions.Retry(run, actor, "Requeued on Hangfire's page.", null, CancellationToken.None), "The run goes on.");

    /// <summary>What came of it, in a sentence.</summary>
    public (bool Done, string Said) Delete(Guid run, string job, string actor) =>
        Try(run, job, () => actions.Cancel(run, CancelMode.Stop, actor, "Deleted on Hangfire's page.", CancellationToken.None), "The run was cancelled.");

    public void Trigger(string schedule, string actor) => Wait(() => schedules.RunNow(schedule, actor, "Triggered on Hangfire's page."));

    public void Remove(string schedule, string actor) => Wait(async () =>
    {
        await schedules.Remove(schedule, actor, "Removed on Hangfire's page.");
        return schedule;
    });

    public RunDetails? Details(Guid run) => Wait(() => reader.Get(run, CancellationToken.None));

    public string? Title(Guid run) => Wait(async () =>
    {
        await using var connection = await database.OpenFresh();
        return await connection.QuerySingleOrDefaultAsync<string?>("select title from engine.run where id = @run", new { run });
    });

    private (bool Done, string Said) Try(Guid run, string job, Func<Task> act, string done) => Wait(async () =>
    {
        // Taken from the run first: one press counts once, and the engine does not try to delete the job that this very page is changing.
        if (!await Swap(run, job, null))
        {
            return (false, $"Nothing was done: run {run} has gone on with another job, or is not there any more.");
        }

        try
        {
            await act();
            return (true, done);
        }
        catch (RunActionException refusal)
        {
            await Swap(run, null, job);
            return (false, $"Nothing was done: {refusal.Message}");
        }
    });

    private async Task<bool> Swap(Guid run, string? from, string? to)
    {
        await using var connection = await database.OpenFresh();
        return await connection.ExecuteAsync("update engine.run set job_id = @to where id = @run and job_id is not distinct from @from", new { run, from, to }) == 1;
    }

    // What the engine does because of a button is nobody's button.
    private static T Wait<T>(Func<Task<T>> ask) => Task.Run(() =>
    {
        JobPages.Acts(null);
        return ask();
    }).GetAwaiter().GetResult();
}
