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
        var storage = node.Services.GetRequiredService<HangfireStorage>().Storage;
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

    [Fact]
    public async Task Requeue_of_several_jobs_at_once_retries_the_run_of_each()
    {
        var broken = true;
        await using var node = await TestNode.Start(new Actors().On("a", _ => broken ? throw new StepRejectedException("no disk") : Task.CompletedTask));
        var storage = Storage(node);
        var paused = new[] { await node.Begin("a"), await node.Begin("a") };
        var jobs = new List<string>();
        foreach (var run in paused)
        {
            await node.Is(run, RunState.Paused);
            jobs.Add(await Job(node, run));
            await Eventually(() => State(storage, jobs[^1]), s => s.StartsWith("Failed", StringComparison.Ordinal));
        }

        broken = false;
        JobPages.Acts("ada");
        jobs.ForEach(job => new BackgroundJobClient(storage).ChangeState(job, new EnqueuedState()));
        JobPages.Acts(null);

        foreach (var run in paused)
        {
            Assert.Equal(RunState.Succeeded, (await node.Ended(run)).State);
        }
    }

    [Fact]
    public async Task Trigger_and_delete_of_a_recurring_job_are_what_schedules_know_by_these_words()
    {
        await using var node = await TestNode.Start(new Actors());
        var runs = JobRuns.Of(Storage(node))!;
        await node.Save(ScheduleBook.Scripted("nightly") with { Cron = "0 3 * * *" });

        runs.Trigger("nightly", "ada");
        var schedule = await node.Until("nightly", s => s.Results is [{ Run.State: RunState.Succeeded }]);
        runs.Remove("nightly", "ada");

        Assert.Contains(schedule.Events, e => e is { Who: "ada", What: "started" } && e.Why!.StartsWith("Triggered on Hangfire's page.", StringComparison.Ordinal));
        Assert.Null(await node.Schedules().Get("nightly"));
        await Assert.ThrowsAsync<ScheduleActionException>(() => Task.Run(() => runs.Trigger("nightly", "ada")));
    }

    private static async Task Eventually(Func<string> ask, Func<string, bool> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!holds(ask()))
        {
            await Task.Delay(20, patience.Token);
        }
    }

    [Fact]
    public async Task A_hangfire_that_the_process_uses_for_itself_keeps_its_storage_and_its_filters()
    {
        await using var node = await TestNode.Start(options: o => o.Workers = 0);

        Assert.Null(node.Services.GetService<JobStorage>());
        Assert.Contains(GlobalJobFilters.Filters, f => f.Instance is AutomaticRetryAttribute { Attempts: > 0 });
        foreach (var job in new[] { Hangfire.Common.Job.FromExpression<RunJob>(j => j.Execute(Guid.Empty, null!)), Hangfire.Common.Job.FromExpression<ScheduleJob>(j => j.Wake("", null)) })
        {
            var retry = Assert.Single(Hangfire.Common.JobFilterProviders.Providers.GetFilters(job), f => f.Instance is AutomaticRetryAttribute);
            Assert.Equal(0, ((AutomaticRetryAttribute)retry.Instance).Attempts);
        }
    }
}
