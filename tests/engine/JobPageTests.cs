using Dapper;
using Hangfire;
using Hangfire.States;
using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Engine.Tests;

/// <summary>What the buttons of Hangfire's own pages do; the pages themselves are looked at in a browser, with the dashboard.</summary>
public sealed class JobPageTests
{
    private static JobStorage Storage(TestNode node)
    {
        var storage = node.Services.GetRequiredService<JobStorage>();
        node.Services.GetRequiredService<JobRuns>().Answer(storage, run => $"/runs/{run}");
        return storage;
    }

    private static async Task<string> Job(TestNode node, Guid run)
    {
        await using var connection = await node.Database.OpenConnectionAsync();
        return (await connection.ExecuteScalarAsync<string>("select job_id from engine.run where id = @run", new { run }))!;
    }

    private static string State(JobStorage storage, string job)
    {
        using var connection = storage.GetConnection();
        var state = connection.GetStateData(job);
        return $"{state.Name}: {state.Reason}";
    }

    private static void Press(JobStorage storage, string job, IState button)
    {
        JobPages.Acts("ada");
        new BackgroundJobClient(storage).ChangeState(job, button);
        JobPages.Acts(null);
    }

    [Fact]
    public async Task Requeue_retries_a_paused_run_by_the_one_who_pressed_it()
    {
        var broken = true;
        await using var node = await TestNode.Start(new Actors().On("a", _ => broken ? throw new StepRejectedException("no disk") : Task.CompletedTask));
        var (id, storage) = (await node.Begin("a"), Storage(node));
        await node.Is(id, RunState.Paused);
        var job = await Job(node, id);
        await Eventually(() => State(storage, job), s => s.StartsWith("Failed", StringComparison.Ordinal));
        Assert.Equal("Failed: The run is paused. Step 1, 'Do a', failed: no disk", State(storage, job));
        broken = false;

        Press(storage, job, new EnqueuedState());
        var run = await node.Ended(id);

        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Contains(run.Events, e => e is { Who: "ada", What: "retried" });
        Press(storage, job, new EnqueuedState());
        await Eventually(() => State(storage, job), s => s.StartsWith("Deleted: Nothing was done", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Delete_cancels_the_run_and_a_state_that_nobody_pressed_means_nothing()
    {
        await using var node = await TestNode.Start(new Actors().On("a", _ => throw new StepRejectedException("no disk")));
        var (id, storage) = (await node.Begin("a"), Storage(node));
        await node.Is(id, RunState.Paused);
        var job = await Job(node, id);
        await Eventually(() => State(storage, job), s => s.StartsWith("Failed", StringComparison.Ordinal));

        Press(storage, job, new DeletedState());

        Assert.Equal("Deleted: The run was cancelled.", State(storage, job));
        Assert.Equal((RunState.Cancelled, "Cancelled by ada: Deleted on Hangfire's page. What was done is left as it is."), ((await node.Runs.Get(id))!.State, (await node.Runs.Get(id))!.Reason));
        new BackgroundJobClient(storage).ChangeState(job, new EnqueuedState());
        Assert.Equal(RunState.Cancelled, (await node.Runs.Get(id))!.State);
    }

    private static async Task Eventually(Func<string> ask, Func<string, bool> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!holds(ask()))
        {
            await Task.Delay(20, patience.Token);
        }
    }
}
