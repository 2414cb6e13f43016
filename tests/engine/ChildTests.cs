using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Engine.Tests;

public sealed class ChildTests
{
    private static readonly StartRun ByAda = new() { RequestedBy = "ada", Priority = RunPriority.High };

    private static Task<TestNode> Start(Actors? actors = null, int workers = 4) => TestNode.Start(actors, null, o => o.Workers = workers, s => s.AddWorkflow<Wave>());

    private static async Task<Guid> Begin(TestNode node, params string[] children) =>
        (await node.Runs.Start<Wave, WaveInput>(new WaveInput(children, 2), ByAda)).Id;

    [Fact]
    public async Task A_run_starts_its_children_a_few_at_a_time_and_goes_on_when_all_have_succeeded()
    {
        var most = 0;
        var now = 0;
        var actors = new Actors();
        foreach (var child in Enumerable.Range(1, 6))
        {
            actors.On($"c{child}", async step =>
            {
                InterlockedMax(ref most, Interlocked.Increment(ref now));
                await Task.Delay(20, step.Cancellation);
                Interlocked.Decrement(ref now);
            });
        }

        await using var node = await Start(actors, workers: 6);
        var id = await Begin(node, "c1", "c2", "c3", "c4", "c5", "c6");
        var run = await node.Ended(id);
        var children = await node.Runs.List(new RunFilter { Parent = id });

        Assert.True(run.State == RunState.Succeeded, run.Reason);
        Assert.Equal(6, children.Count);
        Assert.True(most <= 2, $"{most} children at once");
        Assert.All(children, c => Assert.Equal((RunState.Succeeded, RunPriority.High, "ada", id), (c.State, c.Priority, c.RequestedBy, c.Parent)));
        Assert.Equal([.. children.Select(c => c.Id).Order()], run.Steps[1].Output!.Value.GetProperty("runs").EnumerateArray().Select(r => r.GetProperty("id").GetGuid()));
        Assert.Equal("last", node.Actors.Calls.Last());
    }

    [Fact]
    public async Task One_worker_is_enough_for_a_run_and_its_children()
    {
        await using var node = await Start(workers: 1);

        var run = await node.Ended(await Begin(node, "c1", "c2", "c3"));

        Assert.Equal(RunState.Succeeded, run.State);
    }

    [Fact]
    public async Task A_child_that_fails_stops_the_wave_and_a_retry_goes_on_with_the_rest_only()
    {
        var broken = true;
        var actors = new Actors().On("c2", _ => broken ? throw new StepRejectedException("no disk") : Task.CompletedTask);
        await using var node = await Start(actors);
        var id = await Begin(node, "c1", "c2!", "c3", "c4", "c5");

        var paused = await node.Is(id, RunState.Paused);
        broken = false;
        await node.Runs.Retry(id, "ada");
        var run = await node.Ended(id);

        Assert.Contains("1 of 5 runs did not succeed, and", paused.Reason, StringComparison.Ordinal);
        Assert.Contains("(child c2) failed: Step 1, 'Do c2', failed: no disk", paused.Reason, StringComparison.Ordinal);
        Assert.True(run.State == RunState.Succeeded, run.Reason);
        Assert.Equal(["c1", "c2", "c2", "c3", "c4", "c5"], node.Actors.Calls.Where(c => c[0] == 'c').Order());
    }

    [Fact]
    public async Task A_paused_child_is_named_by_the_waiting_parent()
    {
        await using var node = await Start(new Actors().On("c1", _ => throw new StepRejectedException("no disk")));
        var id = await Begin(node, "c1");

        var run = await node.Until(id, r => r.State == RunState.Waiting && r.Reason!.Contains("paused", StringComparison.Ordinal));
        var child = Assert.Single(await node.Runs.List(new RunFilter { Parent = id }));
        await node.Runs.Skip(child.Id, "ada");

        Assert.Contains($"Waits for 1 of 1 run. 1 is paused; the first is run {child.Id} (child c1): Step 1, 'Do c1', failed: no disk", run.Reason, StringComparison.Ordinal);
        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
    }

    [Fact]
    public async Task A_cancel_of_the_parent_cancels_its_children_and_its_undo_waits_for_theirs()
    {
        var stopped = new TaskCompletionSource();
        var actors = new Actors().On("c1", async step => await Task.Delay(Timeout.Infinite, step.Cancellation));
        actors.OnUndo("c1", async (_, _) => await stopped.Task);
        await using var node = await Start(actors);
        var id = await Begin(node, "c1", "c2", "c3");
        await node.Until(id, r => node.Actors.Calls.Contains("c1") && r.State == RunState.Waiting);

        var rehearsed = await node.Runs.Rehearse(actions => actions.Cancel(id, CancelMode.Undo, "ada"));
        Assert.Equal(id, rehearsed[0].Run);
        Assert.Contains(rehearsed.Skip(1), a => a.What == "cancelled");

        await node.Runs.Cancel(id, CancelMode.Undo, "ada", "wrong wave");
        var undoing = await node.Until(id, r => r is { State: RunState.Waiting, Undoing: true });
        Assert.DoesNotContain("undo before (before)", node.Actors.Calls);
        stopped.SetResult();
        var run = await node.Ended(id);

        Assert.Contains("Undoing: Waits for", undoing.Reason, StringComparison.Ordinal);
        Assert.Equal(RunState.Cancelled, run.State);
        Assert.Equal("undo before (before)", node.Actors.Calls.Last());
        Assert.All(await node.Runs.List(new RunFilter { Parent = id }), c => Assert.Contains(c.State, new[] { RunState.Cancelled, RunState.Succeeded }));
    }

    [Fact]
    public async Task What_ended_children_did_is_named_by_the_parent_that_takes_back_the_rest()
    {
        var actors = new Actors().On("c1", step => { step.Changed("did x"); return Task.CompletedTask; }).On("last", _ => throw new StepRejectedException("no"));
        await using var node = await Start(actors);
        var id = await Begin(node, "c1", "c2");
        await node.Is(id, RunState.Paused);

        await node.Runs.Cancel(id, CancelMode.Undo, "ada");

        Assert.Equal("Cancelled by ada. What it had done was undone, except for step 2, 'One after the other', whose runs had ended: look at what it has left.", (await node.Ended(id)).Reason);
    }

    [Fact]
    public async Task Of_runs_that_wait_for_each_others_keys_through_their_children_one_pauses_and_says_so()
    {
        await using var node = await TestNode.Start(services: s => s.AddWorkflow<Crossing>());
        var one = (await node.Runs.Start<Crossing, Keys>(new Keys("left", "right"), ByAda)).Id;
        var two = (await node.Runs.Start<Crossing, Keys>(new Keys("right", "left"), ByAda)).Id;

        var told = await Task.WhenAny(node.Until(one, Circle), node.Until(two, Circle));
        var paused = await told;
        Assert.Contains("It can never begin by itself: it waits for", paused.Reason, StringComparison.Ordinal);
        var (waits, other) = paused.Id == one ? (one, two) : (two, one);
        await node.Runs.Cancel(other, CancelMode.Stop, "ada");
        await node.Runs.Retry((await node.Runs.List(new RunFilter { Parent = waits })).Single().Id, "ada");
        Assert.Equal(RunState.Succeeded, (await node.Ended(waits)).State);

        static bool Circle(RunDetails run) => run.Reason?.Contains("1 is paused", StringComparison.Ordinal) == true;
    }

    [Fact]
    public async Task A_child_that_cannot_be_started_fails_the_step_when_those_under_way_have_ended()
    {
        var go = new TaskCompletionSource();
        await using var node = await Start(new Actors().On("c1", _ => go.Task));
        // A step without a name makes no plan.
        var id = await Begin(node, "c1", " ");

        var waits = await node.Until(id, r => r.Reason?.Contains("could not be started", StringComparison.Ordinal) == true && r.State == RunState.Waiting);
        Assert.Contains("Waits for 1 of 2 runs.", waits.Reason, StringComparison.Ordinal);
        go.SetResult();

        Assert.Contains("A run of 'scripted' could not be started", (await node.Is(id, RunState.Paused)).Reason, StringComparison.Ordinal);
        Assert.Equal(RunState.Succeeded, (await node.Runs.List(new RunFilter { Parent = id })).Single().State);
    }

    [Fact]
    public async Task A_stopped_parent_ends_at_once_and_takes_its_children_with_it()
    {
        await using var node = await Start(new Actors().On("c1", async step => await Task.Delay(Timeout.Infinite, step.Cancellation)));
        var id = await Begin(node, "c1");
        await node.Until(id, r => node.Actors.Calls.Contains("c1") && r.State == RunState.Waiting);

        await node.Runs.Cancel(id, CancelMode.Stop, "ada");
        var child = Assert.Single(await node.Runs.List(new RunFilter { Parent = id }));

        Assert.Equal(RunState.Cancelled, (await node.Ended(id)).State);
        Assert.Contains("Its parent run was cancelled", (await node.Ended(child.Id)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_parent_starts_no_more_children()
    {
        await using var node = await Start();
        var id = (await node.Runs.Start<Wave, WaveInput>(new WaveInput([.. Enumerable.Range(1, 300).Select(n => $"c{n}")], 300), ByAda)).Id;
        await node.Until(id, r => node.Actors.Calls.Count(c => c[0] == 'c') > 5);

        await node.Runs.Cancel(id, CancelMode.Stop, "ada");
        await node.Ended(id);
        await using var connection = await node.Database.OpenConnectionAsync();
        var started = await connection.ExecuteScalarAsync<int>("select count(*) from engine.run where parent = @id", new { id });
        await node.NoneLeft(TimeSpan.FromSeconds(30));

        Assert.InRange(started, 1, 299);
        Assert.Equal(started, await connection.ExecuteScalarAsync<int>("select count(*) from engine.run where parent = @id", new { id }));
        Assert.Contains(await node.Runs.List(new RunFilter { Parent = id }), c => c.State == RunState.Cancelled);
    }

    [Fact]
    public async Task A_child_shares_the_key_of_its_parent()
    {
        await using var node = await Start();
        var id = (await node.Runs.Start<Wave, WaveInput>(new WaveInput(["c1", "c2"], 2) { Key = "fleet" }, ByAda)).Id;

        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
    }

    [Fact]
    public async Task A_key_is_not_free_before_the_children_that_share_it_have_ended_too()
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("c1", _ => go.Task), null, o => o.LetGo = TimeSpan.FromSeconds(20), s => s.AddWorkflow<Wave>());
        var id = (await node.Runs.Start<Wave, WaveInput>(new WaveInput(["c1"], 1) { Key = "server:7" }, ByAda)).Id;
        await node.Until(id, r => node.Actors.Calls.Contains("c1") && r.State == RunState.Waiting);
        var rival = await node.Begin(new Script(["rival"]) { Key = "server:7" });

        await node.Runs.Cancel(id, CancelMode.Stop, "ada");
        await node.Ended(id);
        var behind = await node.Until(rival, r => r.Reason is not null);
        Assert.Equal(RunState.Queued, behind.State);
        Assert.DoesNotContain("rival", node.Actors.Calls);
        go.SetResult();

        Assert.Equal(RunState.Succeeded, (await node.Ended(rival)).State);
    }

    [Fact]
    public async Task A_retry_waits_for_the_children_that_are_still_under_way_and_starts_none_twice()
    {
        var go = new TaskCompletionSource();
        await using var node = await Start(new Actors().On("c1", _ => go.Task).On("c2", _ => go.Task));
        var id = (await node.Runs.Start<Wave, WaveInput>(new WaveInput(["c1", "c2"], 2) { LimitMs = 1500 }, ByAda)).Id;

        var late = await node.Is(id, RunState.Paused);
        Assert.Contains("2 of 2 runs have not ended (they go on)", late.Reason, StringComparison.Ordinal);
        await node.Runs.Retry(id, "ada");
        await node.Until(id, r => r is { State: RunState.Waiting } && r.Steps[1].Attempts == 2);
        go.SetResult();

        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
        Assert.Equal(2, (await node.Runs.List(new RunFilter { Parent = id })).Count);
    }

    [Fact]
    public async Task A_retry_after_a_cancel_starts_a_child_again_only_when_the_cancelled_one_has_let_go()
    {
        var (go, now, most) = (new TaskCompletionSource(), 0, 0);
        var actors = new Actors().On("c1", async _ =>
        {
            InterlockedMax(ref most, Interlocked.Increment(ref now));
            await go.Task;
            Interlocked.Decrement(ref now);
        });
        await using var node = await TestNode.Start(actors, null, o => o.LetGo = TimeSpan.FromSeconds(20), s => s.AddWorkflow<Wave>());
        var id = await Begin(node, "c1");
        await node.Until(id, r => actors.Calls.Contains("c1") && r.State == RunState.Waiting);

        await node.Runs.Cancel(id, CancelMode.Stop, "ada");
        await node.Ended(id);
        await node.Runs.Retry(id, "ada");
        await node.Until(id, r => r is { State: RunState.Waiting } && r.Steps[1].Attempts == 2);
        go.SetResult();

        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
        Assert.Equal(1, most);
        Assert.Equal(2, actors.Calls.Count(c => c == "c1"));
    }

    [Fact]
    public async Task A_child_whose_undo_fails_pauses_once_and_its_parent_waits_for_an_operator()
    {
        var broken = true;
        var actors = new Actors().On("c1", async step => await Task.Delay(Timeout.Infinite, step.Cancellation))
            .OnUndo("c1", (_, _) => broken ? throw new StepRejectedException("the host is gone") : Task.CompletedTask);
        await using var node = await Start(actors);
        var id = await Begin(node, "c1");
        await node.Until(id, r => actors.Calls.Contains("c1") && r.State == RunState.Waiting);

        await node.Runs.Cancel(id, CancelMode.Undo, "ada");
        var parent = await node.Until(id, r => r is { State: RunState.Waiting, Undoing: true } && r.Reason!.Contains("paused", StringComparison.Ordinal));
        var child = Assert.Single(await node.Runs.List(new RunFilter { Parent = id })).Id;
        Assert.Contains("the host is gone", parent.Reason, StringComparison.Ordinal);
        broken = false;
        await node.Runs.Retry(child, "ada");

        Assert.Equal(RunState.Cancelled, (await node.Ended(id)).State);
        Assert.Equal(2, actors.Calls.Count(c => c.StartsWith("undo c1", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_parents_undo_starts_nothing_beside_a_childs_step_that_does_not_let_go()
    {
        var go = new TaskCompletionSource();
        var actors = new Actors().On("c1", _ => go.Task);
        await using var node = await Start(actors);
        var id = await Begin(node, "c1");
        await node.Until(id, r => actors.Calls.Contains("c1") && r.State == RunState.Waiting);

        await node.Runs.Cancel(id, CancelMode.Undo, "ada");
        await node.Until(id, r => r is { State: RunState.Waiting, Undoing: true } && r.Reason!.Contains("did not let go", StringComparison.Ordinal));
        Assert.DoesNotContain(actors.Calls, c => c.StartsWith("undo c1", StringComparison.Ordinal));
        var child = Assert.Single(await node.Runs.List(new RunFilter { Parent = id })).Id;
        // Even when an operator goes on, this node does not before the step has ended.
        await node.Runs.Retry(child, "ada");
        await node.Until(child, r => r.Reason?.Contains("still at work on node one", StringComparison.Ordinal) == true);
        Assert.DoesNotContain(actors.Calls, c => c.StartsWith("undo c1", StringComparison.Ordinal));
        go.SetResult();

        Assert.Equal(RunState.Cancelled, (await node.Ended(id)).State);
        Assert.Single(actors.Calls, c => c.StartsWith("undo c1", StringComparison.Ordinal));
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
        {
            Interlocked.CompareExchange(ref most, value, seen);
        }
    }

    [Fact]
    public async Task A_child_that_works_under_its_parents_key_can_be_retried_with_a_corrected_input()
    {
        var actors = new Actors().On("c1", (_, told) => told.Payload != "right" ? throw new StepRejectedException("no such host") : Task.FromResult(told.Payload));
        await using var node = await Start(actors);
        var id = (await node.Runs.Start<Wave, WaveInput>(new WaveInput(["c1"], 1) { Key = "server:7" }, ByAda)).Id;
        await node.Until(id, r => r.State == RunState.Waiting && r.Reason!.Contains("paused", StringComparison.Ordinal));
        var child = Assert.Single(await node.Runs.List(new RunFilter { Parent = id })).Id;

        var corrected = new Script([new Spec("c1") { Payload = "right" }]) { Title = "child c1", Key = "server:7" };
        await node.Runs.Retry(child, "ada", null, new RetryFrom { Input = System.Text.Json.JsonSerializer.SerializeToElement(corrected, EngineJson.Options) });

        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
    }

    [Fact]
    public async Task A_wave_whose_time_was_over_before_all_were_started_fails_and_a_retry_starts_the_rest()
    {
        var go = new TaskCompletionSource();
        await using var node = await Start(new Actors().On("c1", _ => go.Task));
        var id = (await node.Runs.Start<Wave, WaveInput>(new WaveInput(["c1", "c2"], 1) { LimitMs = 60_000 }, ByAda)).Id;
        await node.Until(id, r => node.Actors.Calls.Contains("c1") && r.State == RunState.Waiting);
        var control = node.Services.GetRequiredService<IEngineControl>();
        await control.PauseKind("wave", "ada");
        go.SetResult();
        await Holds(node, "select not exists (select from engine.run where parent = @id and state <> 'succeeded')", id);
        await Execute(node, "update engine.step set next_try_at = now() where run_id = @id and state = 'waiting'", id);

        await control.ResumeKind("wave", "ada");
        var late = await node.Is(id, RunState.Paused);
        await node.Runs.Retry(id, "ada");

        Assert.Contains("1 of 2 runs was not started", late.Reason, StringComparison.Ordinal);
        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
        Assert.Equal(["before", "c1", "c2", "last"], node.Actors.Calls);
    }

    [Fact]
    public async Task A_wait_in_which_the_engine_itself_failed_is_begun_anew_by_a_retry()
    {
        var go = new TaskCompletionSource();
        await using var node = await Start(new Actors().On("c1", _ => go.Task));
        var id = await Begin(node, "c1");
        await node.Until(id, r => node.Actors.Calls.Contains("c1") && r.State == RunState.Waiting);
        await Execute(node, "update engine.step set input = '{}' where run_id = @id and state = 'waiting'", id);
        go.SetResult();

        var failed = await node.Is(id, RunState.Paused);
        await node.Runs.Retry(id, "ada");
        var run = await node.Ended(id);

        Assert.Contains("The engine itself failed", failed.Reason, StringComparison.Ordinal);
        Assert.Equal((StepState.Interrupted, RunState.Succeeded, 2), (failed.Steps[1].State, run.State, run.Steps[1].Attempts));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_child_gets_no_share_of_a_key_that_the_run_above_it_holds_no_more(bool retried)
    {
        var go = new TaskCompletionSource();
        await using var node = await StartTiers(new Actors().On("x", _ => go.Task));
        var (top, middle) = await BeginTiers(node, new Tier("top") { Key = "K", LimitMs = retried ? null : 1000, Below = new Tier("middle") { Asks = true, Below = new Tier("bottom") { Key = "K" } } });
        if (retried)
        {
            await node.Runs.Decide(middle, "go", false, "ada");
        }

        await node.Is(top, RunState.Failed);
        var rival = await node.Begin(new Script(["x"]) { Key = "K" });
        await node.Is(rival, RunState.Running);
        if (retried)
        {
            await node.Runs.Retry(middle, "ada");
        }

        await node.Runs.Decide(middle, "go", true, "ada");
        var bottom = await Child(node, middle);
        await node.Until(bottom, r => r.Reason?.StartsWith($"Waits for run {rival}", StringComparison.Ordinal) == true);
        Assert.Equal(["x"], node.Actors.Calls);
        go.SetResult();

        Assert.Equal(RunState.Succeeded, (await node.Ended(middle)).State);
        Assert.Equal(["x", "bottom"], node.Actors.Calls);
    }

    [Fact]
    public async Task A_child_that_is_started_while_the_run_above_it_lets_go_of_the_key_gets_no_share_of_it()
    {
        await using var node = await StartTiers();
        var (top, middle) = await BeginTiers(node, new Tier("top") { Key = "K", Below = new Tier("middle") { Asks = true, Below = new Tier("bottom") { Key = "K" } } });
        await using var connection = await node.Database.OpenConnectionAsync();
        await using var end = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync("update engine.run set state = 'failed', finished_at = now(), holds_key = false where id = @top", new { top }, end);

        await node.Runs.Decide(middle, "go", true, "ada");
        await Holds(node, SomebodyWaits, top);
        await end.CommitAsync();

        await node.Ended(middle);
        var bottom = await Child(node, middle);
        Assert.Equal("K", await connection.ExecuteScalarAsync<string>("select exclusive_key from engine.run where id = @bottom", new { bottom }));
    }

    [Fact]
    public async Task A_run_that_ends_while_a_child_is_started_beneath_it_keeps_the_key_for_that_child()
    {
        var go = new TaskCompletionSource();
        await using var node = await StartTiers(new Actors().On("top", _ => go.Task));
        var top = await node.Begin(new Script(["top"]) { Key = "K" });
        await node.Is(top, RunState.Running);
        // As good as a child that is started: one that is under way, and works under the key from here on.
        var middle = (await node.Runs.Start<Tiers, Tier>(new Tier("middle") { Asks = true }, ByAda)).Id;
        await node.Is(middle, RunState.Waiting);
        await using var connection = await node.Database.OpenConnectionAsync();
        await using var start = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync("select from engine.run where id = @top for share; update engine.run set key_holder = @top where id = @middle", new { top, middle }, start);

        go.SetResult();
        await Holds(node, SomebodyWaits, top);
        await start.CommitAsync();
        await node.Ended(top);
        var rival = await node.Begin(new Script(["x"]) { Key = "K" });
        await node.Until(rival, r => r.Reason?.StartsWith($"Waits for run {top}", StringComparison.Ordinal) == true);
        await node.Runs.Cancel(middle, CancelMode.Stop, "ada");

        Assert.Equal(RunState.Succeeded, (await node.Ended(rival)).State);
    }

    [Fact]
    public async Task A_run_that_has_come_by_its_key_itself_by_a_retry_shares_it_with_its_children()
    {
        await using var node = await StartTiers();
        var (top, middle) = await BeginTiers(node, new Tier("top") { Key = "K", Below = new Tier("middle") { Key = "K", Asks = true, Below = new Tier("bottom") { Key = "K" } } });
        await node.Runs.Decide(middle, "go", false, "ada");
        await node.Is(top, RunState.Failed);

        await node.Runs.Retry(middle, "ada");
        await node.Runs.Decide(middle, "go", true, "ada");

        var run = await node.Ended(middle);
        Assert.True(run.State == RunState.Succeeded, run.Reason);
        Assert.Equal(["bottom"], node.Actors.Calls);
    }

    [Fact]
    public async Task Of_a_run_and_its_parent_that_wait_for_one_key_after_retries_neither_waits_for_the_other()
    {
        var go = new TaskCompletionSource();
        await using var node = await StartTiers(new Actors().On("x", _ => go.Task));
        var (top, middle) = await BeginTiers(node, new Tier("top") { Key = "K", Below = new Tier("middle") { Key = "K", Asks = true, Below = new Tier("bottom") { Key = "K" } } });
        await node.Runs.Decide(middle, "go", false, "ada");
        await node.Is(top, RunState.Failed);
        var rival = await node.Begin(new Script(["x"]) { Key = "K" });
        await node.Is(rival, RunState.Running);

        await node.Runs.Retry(middle, "ada");
        await node.Runs.Retry(top, "ada");
        await Holds(node, "select count(*) = 2 from engine.run where kind = 'tier' and state = 'queued' and job_id is null and (id = @id or parent = @id)", top);
        go.SetResult();
        await node.Until(middle, r => r.State == RunState.Waiting);
        await node.Runs.Decide(middle, "go", true, "ada");

        Assert.Equal(RunState.Succeeded, (await node.Ended(top)).State);
        Assert.Equal(["x", "bottom"], node.Actors.Calls);
    }

    private const string SomebodyWaits = "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";

    private static async Task Holds(TestNode node, string question, Guid id)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await using var connection = await node.Database.OpenConnectionAsync();
        while (!await connection.ExecuteScalarAsync<bool>(question, new { id }))
        {
            await Task.Delay(20, patience.Token);
        }
    }

    private static async Task Execute(TestNode node, string sql, Guid id)
    {
        await using var connection = await node.Database.OpenConnectionAsync();
        await connection.ExecuteAsync(sql, new { id });
    }

    private static Task<TestNode> StartTiers(Actors? actors = null) => TestNode.Start(actors, null, o => o.PumpAfter = TimeSpan.FromSeconds(1), s => s.AddWorkflow<Tiers>());

    /// <summary>Starts a run that has one beneath it, and waits until that one asks whether it may go on.</summary>
    private static async Task<(Guid Top, Guid Middle)> BeginTiers(TestNode node, Tier tier)
    {
        var top = (await node.Runs.Start<Tiers, Tier>(tier, ByAda)).Id;
        var middle = await Child(node, top);
        await node.Is(middle, RunState.Waiting);
        return (top, middle);
    }

    private static async Task<Guid> Child(TestNode node, Guid parent)
    {
        await Holds(node, "select exists (select from engine.run where parent = @id)", parent);
        return (await node.Runs.List(new RunFilter { Parent = parent })).Single().Id;
    }

    public sealed record Tier(string Name)
    {
        public string? Key { get; init; }
        public bool Asks { get; init; }
        public int? LimitMs { get; init; }
        public Tier? Below { get; init; }
    }

    [Workflow("tier")]
    private sealed class Tiers : IWorkflow<Tier>
    {
        public string Title(Tier input) => input.Name;

        public void Describe(WorkflowPlan<Tier> plan)
        {
            if (plan.Input.Key is { } key)
            {
                plan.Exclusive(key);
            }

            if (plan.Input.Asks)
            {
                plan.Approve("go", "Go on?", TimeSpan.FromDays(1)).OnFailure(StepFailure.Fail);
            }

            if (plan.Input.Below is not { } below)
            {
                plan.Step("do", "Do it", ScriptedStep.With(new Told(plan.Input.Name, plan.Input.Name)));
                return;
            }

            var wave = plan.Children<Tiers, Tier>("below", "What is beneath", [new ChildStart<Tier>(below)], 1).OnFailure(StepFailure.Fail);
            if (plan.Input.LimitMs is { } limit)
            {
                wave.Timeout(TimeSpan.FromMilliseconds(limit));
            }
        }
    }

    public sealed record WaveInput(IReadOnlyList<string> Children, int AtOnce)
    {
        public string? Key { get; init; }
        public int? LimitMs { get; init; }
    }

    private sealed record Keys(string Own, string Childs);

    /// <summary>Holds one key while a run beneath it wants another.</summary>
    [Workflow("crossing")]
    private sealed class Crossing : IWorkflow<Keys>
    {
        public string Title(Keys input) => $"{input.Own}, then {input.Childs}";

        public void Describe(WorkflowPlan<Keys> plan)
        {
            plan.Exclusive(plan.Input.Own);
            plan.Delay("first", "Let the other one take its key", TimeSpan.FromSeconds(1));
            plan.Children<ScriptedWorkflow, Script>("beneath", "Take the other key", [new ChildStart<Script>(new Script(["a"]) { Key = plan.Input.Childs })], 1);
        }
    }

    [Workflow("wave")]
    private sealed class Wave : IWorkflow<WaveInput>
    {
        public string Title(WaveInput input) => "a wave";

        public void Describe(WorkflowPlan<WaveInput> plan)
        {
            if (plan.Input.Key is { } key)
            {
                plan.Exclusive(key);
            }

            plan.Step("before", "Prepare", ScriptedStep.With(new Told("before", "before")));
            var wave = plan.Children<ScriptedWorkflow, Script>("wave", "One after the other",
                [.. plan.Input.Children.Select(c => new ChildStart<Script>(new Script([new Spec(c.TrimEnd('!')) { OnFailure = c.EndsWith('!') ? StepFailure.Fail : StepFailure.Pause }])
                {
                    Title = $"child {c.TrimEnd('!')}", Key = plan.Input.Key,
                }))], plan.Input.AtOnce);
            if (plan.Input.LimitMs is { } limit)
            {
                wave.Timeout(TimeSpan.FromMilliseconds(limit));
            }

            plan.Step("last", "Finish", ScriptedStep.With(new Told("last", "last")));
        }
    }
}
