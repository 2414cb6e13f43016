using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Engine.Tests;

public sealed class ControlTests
{
    private static IEngineControl Control(TestNode node) => node.Services.GetRequiredService<IEngineControl>();

    private static async Task<RunKind> Kind(TestNode node) => (await Control(node).Kinds()).Single(k => k.Kind == "scripted");

    [Fact]
    public async Task Runs_of_a_paused_kind_wait_with_the_reason_and_begin_when_it_is_resumed()
    {
        await using var node = await TestNode.Start();
        await Control(node).PauseKind("scripted", "ada", "the network is being rebuilt");
        var ids = new[] { await node.Begin("a"), await node.Begin("b") };

        var held = await node.Until(ids[0], r => r.Reason is not null);
        var kind = await Kind(node);
        await Control(node).ResumeKind("scripted", "ada", "rebuilt");

        Assert.Equal((RunState.Queued, "Runs of kind scripted are paused by ada: the network is being rebuilt. It begins when they are resumed."), (held.State, held.Reason));
        Assert.Equal(("ada", "the network is being rebuilt", 2L), (kind.PausedBy, kind.PausedWhy, kind.Queued));
        Assert.All(await Task.WhenAll(ids.Select(node.Ended)), r => Assert.Equal(RunState.Succeeded, r.State));
        Assert.Equal([("resumed", "rebuilt"), ("paused", "the network is being rebuilt")], (await Control(node).Audit()).Select(a => (a.What, a.Why)));
        await Assert.ThrowsAsync<RunActionException>(() => Control(node).ResumeKind("scripted", "ada"));
        await Assert.ThrowsAsync<RunActionException>(() => Control(node).PauseKind("no-such", "ada"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_kind_paused_before_a_step_that_is_passed_over_or_has_no_input_loses_nothing_of_its_journal(bool noInput)
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("a", _ => go.Task));
        var id = await node.Begin("a", noInput ? new Spec("b") { Needs = "nothing such" } : new Spec("b") { When = false }, "c");
        await node.Is(id, RunState.Running);
        await Control(node).PauseKind("scripted", "ada");
        go.SetResult();

        await node.Is(id, RunState.Queued);
        await Control(node).ResumeKind("scripted", "ada");
        var run = await node.Until(id, r => r.State is RunState.Paused or RunState.Succeeded);

        Assert.Equal(noInput ? (RunState.Paused, StepState.Failed, 1) : (RunState.Succeeded, StepState.Skipped, 0), (run.State, run.Steps[1].State, run.Steps[1].Attempts));
        Assert.Equal(noInput ? ["a"] : ["a", "c"], node.Actors.Calls);
    }

    [Fact]
    public async Task A_cancelled_run_whose_node_has_died_ends_though_its_kind_is_paused()
    {
        await using var node = await TestNode.Start();
        await Control(node).PauseKind("scripted", "ada");
        var id = await node.Begin("a");
        await node.Until(id, r => r.Reason is not null);

        // As the sweep leaves one whose node died before it could heed the cancel.
        await using (var connection = await node.Database.OpenConnectionAsync())
        {
            await connection.ExecuteAsync("update engine.run set cancel_mode = 'Stop', cancel_by = 'bob', job_id = null where id = @id", new { id });
        }

        Assert.Equal((RunState.Cancelled, "Cancelled by bob. Nothing had been changed."), await node.Ended(id) is var run ? (run.State, run.Reason) : default);
        Assert.Empty(node.Actors.Calls);
    }

    [Fact]
    public async Task A_run_of_a_paused_kind_can_still_be_undone()
    {
        await using var node = await TestNode.Start(new Actors().On("b", _ => throw new StepRejectedException("no")));
        var id = await node.Begin("a", "b");
        await node.Is(id, RunState.Paused);
        await Control(node).PauseKind("scripted", "ada");

        await node.Runs.Cancel(id, CancelMode.Undo, "ada");

        Assert.Equal(RunState.Cancelled, (await node.Ended(id)).State);
        Assert.Equal("undo a (a)", node.Actors.Calls.Last());
    }

    [Fact]
    public async Task Never_more_runs_of_a_kind_than_its_limit_and_each_that_ends_lets_the_next_in_by_priority()
    {
        var gate = new SemaphoreSlim(0);
        var now = 0;
        var most = 0;
        var actors = new Actors().On("a", async step =>
        {
            most = Math.Max(most, Interlocked.Increment(ref now));
            await gate.WaitAsync(step.Cancellation);
            Interlocked.Decrement(ref now);
        });
        await using var node = await TestNode.Start(actors, options: o => o.Workers = 8);
        await Control(node).LimitKind("scripted", 2, "ada");
        var first = new[] { await node.Begin("a"), await node.Begin("a") };
        foreach (var id in first)
        {
            await node.Is(id, RunState.Running);
        }

        var low = await node.Begin("a");
        var high = await node.Begin(new Script(["a"]), new StartRun { RequestedBy = "ada", Priority = RunPriority.High });
        var held = await node.Until(low, r => r.Reason is not null);
        await node.Until(high, r => r.Reason is not null);
        gate.Release();
        await node.Is(high, RunState.Running);
        gate.Release(10);

        Assert.Equal("At most 2 runs of kind scripted may be under way at once. It begins when one of them ends.", held.Reason);
        Assert.All(await Task.WhenAll(first.Append(low).Append(high).Select(node.Ended)), r => Assert.Equal(RunState.Succeeded, r.State));
        Assert.Equal(2, most);
        await Assert.ThrowsAsync<RunActionException>(() => Control(node).LimitKind("scripted", 0, "ada"));
    }

    [Fact]
    public async Task A_run_that_wakes_up_goes_before_later_ones_of_its_limited_kind_and_says_for_what_it_waits()
    {
        var gate = new SemaphoreSlim(0);
        var first = true;
        var actors = new Actors().On("late", _ => gate.WaitAsync()).On("early", _ =>
        {
            var fails = first;
            first = false;
            return fails ? throw new InvalidOperationException("not yet") : Task.CompletedTask;
        });
        await using var node = await TestNode.Start(actors, options: o => (o.Workers, o.ShortWait) = (4, TimeSpan.FromMilliseconds(100)));
        await Control(node).LimitKind("scripted", 1, "ada");
        var early = await node.Begin(new Spec("early") { Tries = 2, WaitMs = 600_000 });
        await node.Is(early, RunState.Waiting);
        var late = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => node.Begin("late")));
        await node.Until(late[0], _ => node.Actors.Calls.Contains("late"));
        await node.Runs.Retry(early, "ada");

        await node.Until(early, r => r.Reason == "At most 1 runs of kind scripted may be under way at once. It begins when one of them ends.");
        gate.Release();
        Assert.Equal(RunState.Succeeded, (await node.Ended(early)).State);

        Assert.Equal(["early", "late", "early"], node.Actors.Calls.Take(3));
        gate.Release(10);
        Assert.All(await Task.WhenAll(late.Select(node.Ended)), r => Assert.Equal(RunState.Succeeded, r.State));
    }

    [Fact]
    public async Task A_drained_node_ends_what_it_has_and_takes_nothing_more_until_it_is_undrained()
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("a", _ => go.Task), options: o => o.LeaseRenewal = TimeSpan.FromMilliseconds(200));
        var under = await node.Begin("a");
        await node.Is(under, RunState.Running);

        await Control(node).Drain("one", "ada", "maintenance");
        var later = await node.Begin("b");
        go.SetResult();

        Assert.Equal(RunState.Succeeded, (await node.Ended(under)).State);
        var drained = Assert.Single(await Control(node).Nodes());
        Assert.Equal((true, true, 0L), (drained.Draining, drained.Alive, drained.Running));
        var held = (await node.Runs.Get(later))!;
        Assert.Equal((RunState.Queued, "All nodes are drained (one). It begins when one of them is undrained."), (held.State, held.Reason));
        await Control(node).Undrain("one", "ada");
        Assert.Equal(RunState.Succeeded, (await node.Ended(later)).State);
        await Assert.ThrowsAsync<RunActionException>(() => Control(node).Drain("no-such", "ada"));
    }

    [Fact]
    public async Task Urgent_runs_go_first_when_workers_are_short_also_when_they_became_urgent_later()
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("block", _ => go.Task), options: o => o.Workers = 1);
        await node.Is(await node.Begin("block"), RunState.Running);
        var low = await node.Begin(new Script(["low"]), new StartRun { RequestedBy = "ada", Priority = RunPriority.Low });
        var normal = await node.Begin("normal");
        var raised = await node.Begin("raised");
        await node.Runs.SetPriority(raised, RunPriority.High, "ada", "the customer waits");
        go.SetResult();

        var runs = await Task.WhenAll(new[] { low, normal, raised }.Select(node.Ended));

        Assert.Equal(["block", "raised", "normal", "low"], node.Actors.Calls);
        Assert.Equal(RunPriority.High, runs[2].Priority);
        Assert.Contains(runs[2].Events, e => e is { Who: "ada", What: "reprioritised", Why: "the customer waits To high." });
        await Assert.ThrowsAsync<RunActionException>(() => node.Runs.SetPriority(raised, RunPriority.Low, "ada"));
    }

    [Fact]
    public async Task Runs_of_a_workflow_that_no_node_knows_say_so_and_hold_up_nobody()
    {
        await using var starter = await TestNode.Start(options: o => o.Workers = 0);
        var known = await starter.Begin("a");
        await using var connection = await starter.Database.OpenConnectionAsync();
        // Urgent ones of a workflow that is gone, and one that is known whose job was lost.
        await connection.ExecuteAsync("""
            insert into engine.run (id, kind, version, title, plan, input, queue, priority, requested_by, steps_total, job_at)
            select gen_random_uuid(), 'gone', 1, 'gone', '{"steps": []}', '{}', '1-high', 1, 'ada', 1, now() - interval '1 hour' from generate_series(1, 700);
            delete from hangfire.jobqueue; delete from hangfire.job;
            update engine.run set priority = -1, queue = '3-low' where id = @known
            """, new { known });

        await using var node = await TestNode.Start(starter.Actors, starter.ConnectionString, o => (o.PumpAfter, o.SweepInterval) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)));

        Assert.Equal(RunState.Succeeded, (await node.Ended(known)).State);
        var gone = (await node.Runs.List(new RunFilter { Kind = "gone", Limit = 1 }))[0].Id;
        while (await connection.ExecuteScalarAsync<bool>("select exists (select from engine.run where kind = 'gone' and reason is null)"))
        {
            await Task.Delay(20);
        }

        Assert.Equal("Node one knows no workflow gone, and waits for one that does: deploy the version that has it, or cancel the run.", (await node.Runs.Get(gone))!.Reason);
        Assert.InRange(await connection.ExecuteScalarAsync<long>("select count(*) from hangfire.job"), 1, 5);
    }

    [Fact]
    public async Task Ended_runs_are_counted_by_the_minute_and_removed_with_their_journal_when_they_are_old()
    {
        await using var node = await TestNode.Start(new Actors().On("bad", _ => throw new StepRejectedException("no")));
        var old = await node.Begin("a", "b");
        var failed = await node.Begin(new Spec("bad") { OnFailure = StepFailure.Fail });
        var kept = await node.Begin("a");
        await Task.WhenAll(new[] { old, failed, kept }.Select(node.Ended));
        await using var connection = await node.Database.OpenConnectionAsync();
        await connection.ExecuteAsync("update engine.run set finished_at = finished_at - interval '10 minutes' where id = @failed; update engine.run set finished_at = finished_at - interval '91 days' where id = @old",
            new { failed, old });

        await ActivatorUtilities.CreateInstance<Housekeeping>(node.Services).Keep();

        var minutes = await Control(node).Statistics(DateTimeOffset.UnixEpoch, new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Assert.Equal([(1, 0, 2L), (0, 1, 0L)], minutes.Select(m => (m.Succeeded, m.Failed, m.Steps)).Take(2));
        Assert.Null(await node.Runs.Get(old));
        Assert.NotNull(await node.Runs.Get(kept));
        Assert.Equal(0, await connection.ExecuteScalarAsync<int>("select count(*) from engine.step where run_id = @old", new { old }));
    }

    [Fact]
    public async Task Routine_runs_stand_in_no_list_that_does_not_ask_for_them_unless_they_failed_and_go_after_hours()
    {
        await using var node = await TestNode.Start(new Actors().On("bad", _ => throw new StepRejectedException("no")), services: s => s.AddWorkflow<RoutineWorkflow, Script>());
        async Task<Guid> Routine(Spec step) => (await node.Runs.Start<RoutineWorkflow, Script>(new Script([step]), new StartRun { RequestedBy = "ada" })).Id;
        var (well, failed, other) = (await Routine("a"), await Routine(new Spec("bad") { OnFailure = StepFailure.Fail }), await node.Begin("a"));
        await Task.WhenAll(new[] { well, failed, other }.Select(node.Ended));

        Assert.Equal([other, failed], (await node.Runs.List(new RunFilter())).Select(r => r.Id));
        Assert.Equal([other], (await node.Runs.List(new RunFilter { States = [RunState.Succeeded] })).Select(r => r.Id));
        Assert.Equal([failed, well], (await node.Runs.List(new RunFilter { Kind = "routine" })).Select(r => r.Id));

        await using var connection = await node.Database.OpenConnectionAsync();
        await connection.ExecuteAsync("update engine.run set finished_at = finished_at - interval '3 hours' where id <> @failed", new { failed });
        await ActivatorUtilities.CreateInstance<Housekeeping>(node.Services).Keep();
        Assert.Equal([other, failed], (await node.Runs.Get([well, failed, other])).Select(r => r.Id).OrderDescending());
    }

    [Workflow("routine", RoutineHours = 2)]
    private sealed class RoutineWorkflow : IWorkflow<Script>
    {
        public string Title(Script input) => "again";

        public void Describe(WorkflowPlan<Script> plan)
        {
            var spec = plan.Input.Steps[0];
            plan.Step(spec.Name, spec.Name, ScriptedStep.With(new Told(spec.Name, ""))).Retry(Backoff.None).OnFailure(spec.OnFailure);
        }
    }

    [Fact]
    public async Task An_old_run_that_is_being_retried_stays_with_its_children()
    {
        await using var node = await TestNode.Start(options: o => o.Workers = 0);
        var (parent, child, other) = (await node.Begin("a"), await node.Begin("a"), await node.Begin("a"));
        await using var retrying = await node.Database.OpenConnectionAsync();
        await retrying.ExecuteAsync("update engine.run set state = 'failed', finished_at = now() - interval '91 days'; update engine.run set parent = @parent where id = @child", new { parent, child });
        await using var retry = await retrying.BeginTransactionAsync();
        await retrying.ExecuteAsync("select from engine.run where id = @parent for update; update engine.run set state = 'queued', finished_at = null where id = @parent", new { parent }, retry);

        var sweep = ActivatorUtilities.CreateInstance<Housekeeping>(node.Services).Keep();
        await using (var looking = await node.Database.OpenConnectionAsync())
        {
            while (!sweep.IsCompleted && !await looking.ExecuteScalarAsync<bool>(
                "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')"))
            {
                await Task.Delay(20);
            }
        }

        await retry.CommitAsync();
        await sweep;

        Assert.Equal([RunState.Queued, RunState.Failed], [(await node.Runs.Get(parent))?.State, (await node.Runs.Get(child))?.State]);
        Assert.Null(await node.Runs.Get(other));
    }

    [Fact]
    public async Task An_old_run_stays_as_long_as_one_beneath_it_and_then_they_go_together()
    {
        await using var node = await TestNode.Start(options: o => o.Workers = 0);
        var (top, middle, bottom) = (await node.Begin("a"), await node.Begin("a"), await node.Begin("a"));
        await using var connection = await node.Database.OpenConnectionAsync();
        await connection.ExecuteAsync("""
            update engine.run set state = 'failed', finished_at = now() - case when id = @bottom then interval '89 days' else interval '91 days' end,
                   parent = case id when @bottom then @middle::uuid when @middle then @top::uuid end
            """, new { top, middle, bottom });

        await ActivatorUtilities.CreateInstance<Housekeeping>(node.Services).Keep();
        var kept = await node.Runs.Get([top, middle, bottom]);
        await connection.ExecuteAsync("update engine.run set finished_at = now() - interval '91 days' where id = @bottom", new { bottom });
        await ActivatorUtilities.CreateInstance<Housekeeping>(node.Services).Keep();

        Assert.Equal(3, kept.Count);
        Assert.Empty(await node.Runs.Get([top, middle, bottom]));
    }

    public static TheoryData<Action<EngineOptions>> Senseless =>
    [
        o => o.KeepStatistics = -TimeSpan.FromDays(1),
        o => o.RecoveriesBeforePause = 0,
        o => o.HangfireConnections = -1,
        o => o.LetGo = TimeSpan.MaxValue,
        o => (o.Lease, o.SelfFencing, o.LeaseRenewal) = (TimeSpan.MaxValue, TimeSpan.MaxValue - TimeSpan.FromDays(1), TimeSpan.MaxValue / 2),
    ];

    [Theory]
    [MemberData(nameof(Senseless))]
    public void Options_that_make_no_sense_are_refused(Action<EngineOptions> options)
    {
        var asked = new EngineOptions();
        options(asked);

        Assert.Throws<ArgumentException>(asked.Check);
    }

    [Fact]
    public async Task What_is_to_be_kept_for_ever_is_kept()
    {
        await using var node = await TestNode.Start(options: o => (o.Workers, o.KeepRuns, o.KeepLogs, o.KeepStatistics) = (0, TimeSpan.MaxValue, TimeSpan.MaxValue, TimeSpan.MaxValue));
        var id = await node.Begin("a");

        await ActivatorUtilities.CreateInstance<Housekeeping>(node.Services).Keep();

        Assert.NotNull(await node.Runs.Get(id));
    }

    [Fact]
    public async Task Logs_are_dropped_by_the_day()
    {
        await using var node = await TestNode.Start(new Actors().On("a", _ => throw new StepRejectedException("no")));
        await using var connection = await node.Database.OpenConnectionAsync();
        var paused = await node.Begin("a");
        await node.Is(paused, RunState.Paused);
        await connection.ExecuteAsync("""
            create table engine.log_20200101 partition of engine.log for values from ('2020-01-01 00:00Z') to ('2020-01-02 00:00Z');
            insert into engine.log values (gen_random_uuid(), 1, '2020-01-01 12:00Z', 1, 2, 'old'), (gen_random_uuid(), 1, '2019-01-01 12:00Z', 1, 2, 'older'),
                   (@paused, 101, '2020-01-01 12:00Z', 1, 2, 'old, and still to be read'), (@paused, 102, '2019-01-01 12:00Z', 1, 2, 'older, and still to be read')
            """, new { paused });

        await ActivatorUtilities.CreateInstance<Housekeeping>(node.Services).Keep();

        Assert.Equal(["older, and still to be read", "old, and still to be read"], await connection.QueryAsync<string>("select message from engine.log where at < '2021-01-01' order by at"));
        Assert.True(await connection.ExecuteScalarAsync<bool>("select to_regclass('engine.log_20200101') is null"));

        await node.Runs.Cancel(paused, CancelMode.Stop, "ada");
        await ActivatorUtilities.CreateInstance<Housekeeping>(node.Services).Keep();
        Assert.Equal(0, await connection.ExecuteScalarAsync<int>("select count(*) from engine.log where at < '2021-01-01'"));
    }
}
