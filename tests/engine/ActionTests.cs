using Dapper;
using System.Diagnostics;

namespace ManagedServers.Engine.Tests;

public sealed class ActionTests
{
    [Fact]
    public async Task A_running_step_hears_of_a_cancel_without_waiting_for_the_next_renewal_of_the_lease()
    {
        var begun = new TaskCompletionSource();
        var actors = new Actors().On("a", async step =>
        {
            begun.SetResult();
            await Task.Delay(Timeout.Infinite, step.Cancellation);
        });
        // No renewal within the test's patience: what is heard came by notification.
        await using var node = await TestNode.Start(actors, options: o => (o.Lease, o.SelfFencing, o.LeaseRenewal) = (TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(25), TimeSpan.FromMinutes(10)));
        var id = await node.Begin("a", "b");
        await begun.Task;

        await node.Runs.Cancel(id, CancelMode.Stop, "ada");
        var run = await node.Ended(id);

        Assert.Equal((RunState.Cancelled, "Cancelled by ada. What was done is left as it is."), (run.State, run.Reason));
        Assert.Equal([StepState.Cancelled, StepState.Pending], run.Steps.Select(s => s.State));
    }

    [Fact]
    public async Task A_stop_that_is_asked_for_again_changes_nothing_and_one_after_an_undo_ends_the_undo()
    {
        var (begun, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var actors = new Actors().On("a", async _ => { begun.SetResult(); await go.Task; });
        await using var node = await TestNode.Start(actors, options: o => o.LetGo = TimeSpan.FromSeconds(20));
        var id = await node.Begin("a", "b");
        await begun.Task;

        await node.Runs.Cancel(id, CancelMode.Undo, "ada");
        foreach (var who in new[] { "ben", "cleo", "dora" })
        {
            await node.Runs.Cancel(id, CancelMode.Stop, who);
        }

        await Assert.ThrowsAsync<RunActionException>(() => node.Runs.Cancel(id, CancelMode.Undo, "ada"));
        go.SetResult();
        var run = await node.Ended(id);

        Assert.StartsWith("Cancelled by ben.", run.Reason, StringComparison.Ordinal);
        Assert.Equal(["ada", "ben"], run.Events.Where(e => e.What == "cancelled" && e.Who != "engine").Select(e => e.Who));
        Assert.Equal(["a"], actors.Calls);
    }

    [Fact]
    public async Task What_there_is_not_cannot_be_asked_for()
    {
        await using var node = await TestNode.Start(options: o => o.Workers = 0);
        var id = await node.Begin("a");

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>("mode", () => node.Runs.Cancel(id, (CancelMode)7, "ada"));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>("priority", () => node.Runs.SetPriority(id, (RunPriority)7, "ada"));
        Assert.Equal(RunState.Queued, (await node.Runs.Get(id))!.State);
    }

    [Fact]
    public async Task Queued_waiting_and_paused_runs_are_cancelled_at_once()
    {
        var actors = new Actors().On("fails", _ => throw new IOException("no")).On("rejects", _ => throw new StepRejectedException("no"));
        await using var starter = await TestNode.Start(actors, options: o => o.Workers = 0);
        var queued = await starter.Begin("a");
        await starter.Runs.Cancel(queued, CancelMode.Stop, "ada");
        Assert.Equal((RunState.Cancelled, "Cancelled by ada. It had not begun."), (await starter.Runs.Get(queued)) is { } q ? (q.State, q.Reason) : default);

        await using var node = await TestNode.Start(actors, starter.ConnectionString, o => o.ShortWait = TimeSpan.Zero);
        var waiting = await node.Begin(new Spec("fails") { Tries = 2, WaitMs = 60_000 });
        var paused = await node.Begin(new Spec("rejects"));
        await node.Is(waiting, RunState.Waiting);
        await node.Is(paused, RunState.Paused);
        foreach (var id in new[] { waiting, paused })
        {
            await node.Runs.Cancel(id, CancelMode.Stop, "ada");
            Assert.Equal(RunState.Cancelled, (await node.Runs.Get(id))!.State);
        }
    }

    [Fact]
    public async Task A_retry_goes_on_from_the_failed_step_with_fresh_tries()
    {
        var broken = true;
        var actors = new Actors().On("b", _ => broken ? throw new IOException("no") : Task.CompletedTask);
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin("a", new Spec("b") { Tries = 2 }, "c");
        await node.Is(id, RunState.Paused);
        await node.Runs.Retry(id, "ada", "cable back in");
        await node.Until(id, r => r.State == RunState.Paused && r.Steps[1].Attempts == 4);
        broken = false;
        await node.Runs.Retry(id, "ada");

        var run = await node.Ended(id);

        Assert.Equal(["a", "b", "b", "b", "b", "b", "c"], node.Actors.Calls);
        Assert.Equal((RunState.Succeeded, 5), (run.State, run.Steps[1].Attempts));
        Assert.Contains(run.Events, e => e is { Who: "ada", What: "retried", Why: "cable back in From step 2." });
    }

    [Fact]
    public async Task A_failed_run_is_retried_from_the_failed_step()
    {
        var broken = true;
        var actors = new Actors().On("b", _ => broken ? throw new StepRejectedException("no") : Task.CompletedTask);
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin("a", new Spec("b") { OnFailure = StepFailure.Fail });
        await node.Is(id, RunState.Failed);
        broken = false;

        await node.Runs.Retry(id, "ada");

        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
        Assert.Equal(["a", "b", "b"], node.Actors.Calls);
    }

    [Fact]
    public async Task A_skipped_step_is_passed_over_and_the_audit_says_by_whom()
    {
        await using var node = await TestNode.Start(new Actors().On("b", _ => throw new StepRejectedException("no")));
        var id = await node.Begin("a", "b", "c");
        await node.Is(id, RunState.Paused);

        await node.Runs.Skip(id, "ada", "did it by hand");
        var run = await node.Ended(id);

        Assert.Equal((RunState.Succeeded, 3), (run.State, run.StepsDone));
        Assert.Equal((StepState.Skipped, "Skipped by ada."), (run.Steps[1].State, run.Steps[1].Summary));
        Assert.Contains(run.Events, e => e is { Who: "ada", What: "skipped", Why: "did it by hand Step 2, 'Do b'." });
    }

    [Fact]
    public async Task An_action_can_be_rehearsed_and_leaves_nothing_behind()
    {
        await using var node = await TestNode.Start(new Actors().On("b", _ => throw new StepRejectedException("no")));
        var id = await node.Begin("a", "b", "c");
        await node.Is(id, RunState.Paused);
        var before = EngineJson.Element(await node.Runs.Get(id)).ToString();

        Assert.Equal([new RehearsedAction(id, "skipped", "Step 2, 'Do b'.", RunState.Paused, RunState.Queued, 3, false)], await node.Runs.Rehearse(actions => actions.Skip(id, "ada")));
        Assert.Equal([new RehearsedAction(id, "retried", "From step 2.", RunState.Paused, RunState.Queued, 2, false)], await node.Runs.Rehearse(actions => actions.Retry(id, "ada")));
        Assert.Equal([new RehearsedAction(id, "cancelled", "With undo.", RunState.Paused, RunState.Queued, 2, true)], await node.Runs.Rehearse(actions => actions.Cancel(id, CancelMode.Undo, "ada")));
        await Assert.ThrowsAsync<RunActionException>(() => node.Runs.Rehearse(actions => actions.Decide(id, "b", true, "ada")));

        Assert.Equal(before, EngineJson.Element(await node.Runs.Get(id)).ToString());
        Assert.Equal(["a", "b"], node.Actors.Calls);
    }

    [Fact]
    public async Task A_step_whose_result_is_needed_later_cannot_be_skipped()
    {
        await using var node = await TestNode.Start(new Actors().On("b", _ => throw new StepRejectedException("no")));
        var id = await node.Begin("a", "b", "c", new Spec("d") { Needs = "b" });
        await node.Is(id, RunState.Paused);

        var refused = await Assert.ThrowsAsync<RunActionException>(() => node.Runs.Skip(id, "ada"));

        Assert.Contains("step 4, 'Do d', needs its result", refused.Message, StringComparison.Ordinal);
        Assert.Equal(RunState.Paused, (await node.Runs.Get(id))!.State);
    }

    [Fact]
    public async Task A_step_can_be_skipped_whose_result_only_a_step_needs_that_is_passed_over_itself()
    {
        await using var node = await TestNode.Start(new Actors().On("b", _ => throw new StepRejectedException("no")));
        var id = await node.Begin("a", "b", new Spec("c") { Needs = "b", When = false });
        await node.Is(id, RunState.Paused);

        await node.Runs.Skip(id, "ada");

        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
    }

    [Fact]
    public async Task A_cancel_that_comes_as_a_step_ends_lets_nothing_of_the_next_begin()
    {
        TestNode? node = null;
        var actors = new Actors().On("a", async step =>
        {
            // Not by the product's own call, which would tell this very step.
            await using var connection = await node!.Database.OpenConnectionAsync();
            await connection.ExecuteAsync("update engine.run set cancel_mode = 'Stop', cancel_by = 'bob' where id = @RunId", new { step.RunId });
        });
        await using var started = node = await TestNode.Start(actors);

        var run = await node.Ended(await node.Begin("a", "b"));

        Assert.Equal((RunState.Cancelled, StepState.Succeeded, StepState.Pending, 0), (run.State, run.Steps[0].State, run.Steps[1].State, run.Steps[1].Attempts));
        Assert.Equal(["a"], node.Actors.Calls);
    }

    [Fact]
    public async Task What_cannot_be_done_to_a_run_is_refused_with_its_state()
    {
        await using var node = await TestNode.Start();
        var id = await node.Begin("a");
        await node.Ended(id);

        foreach (var act in new Func<Guid, Task>[] { i => node.Runs.Retry(i, "ada"), i => node.Runs.Skip(i, "ada"), i => node.Runs.Cancel(i, CancelMode.Stop, "ada") })
        {
            Assert.Contains("succeeded", (await Assert.ThrowsAsync<RunActionException>(() => act(id))).Message, StringComparison.Ordinal);
            Assert.Contains("There is no run", (await Assert.ThrowsAsync<RunActionException>(() => act(Guid.NewGuid()))).Message, StringComparison.Ordinal);
        }

        Assert.Null(await node.Runs.Get(Guid.NewGuid()));
    }

    [Fact]
    public async Task A_cancel_that_comes_during_the_last_step_is_not_lost()
    {
        var begun = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        var actors = new Actors().On("last", async _ => { begun.SetResult(); await go.Task; });
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin("a", "last");
        await begun.Task;

        await node.Runs.Cancel(id, CancelMode.Undo, "ada");
        go.SetResult(); // it ignores its token and succeeds
        var run = await node.Ended(id);

        Assert.Equal(RunState.Cancelled, run.State);
        Assert.Equal(["a", "last", "undo last (last)", "undo a (a)"], node.Actors.Calls);
    }

    [Fact]
    public async Task A_run_can_be_retried_from_a_chosen_step()
    {
        var broken = true;
        await using var node = await TestNode.Start(new Actors().On("c", _ => broken ? throw new StepRejectedException("no") : Task.CompletedTask));
        var id = await node.Begin("a", "b", "c", "d");
        await node.Is(id, RunState.Paused);
        broken = false;

        var beyond = await Assert.ThrowsAsync<RunActionException>(() => node.Runs.Retry(id, "ada", null, new RetryFrom { Step = 4 }));
        var none = await Assert.ThrowsAsync<RunActionException>(() => node.Runs.Retry(id, "ada", null, new RetryFrom { Step = 5 }));
        await node.Runs.Retry(id, "ada", "b was not right", new RetryFrom { Step = 2 });
        var run = await node.Ended(id);

        Assert.Contains("cannot go on from step 4: step 3, 'Do c', is not done", beyond.Message, StringComparison.Ordinal);
        Assert.Contains("has steps 1 to 4", none.Message, StringComparison.Ordinal);
        Assert.Equal(["a", "b", "c", "b", "c", "d"], node.Actors.Calls);
        Assert.Equal((RunState.Succeeded, 4), (run.State, run.StepsDone));
        Assert.Contains(run.Events, e => e is { Who: "ada", What: "retried", Why: "b was not right From step 2." });
    }

    [Fact]
    public async Task A_cancelled_run_can_be_retried_from_where_it_stands_or_from_the_start()
    {
        var hang = true;
        await using var node = await TestNode.Start(new Actors().On("b", step => hang ? Task.Delay(Timeout.Infinite, step.Cancellation) : Task.CompletedTask));
        var stands = await node.Begin("a", "b");
        var start = await node.Begin("a", "b");
        foreach (var id in new[] { stands, start })
        {
            await node.Until(id, r => r.Steps[1].State == StepState.Running);
            await node.Runs.Cancel(id, CancelMode.Stop, "ada");
            await node.Ended(id);
        }

        hang = false;
        await node.Runs.Retry(stands, "ada");
        await node.Runs.Retry(start, "ada", null, new RetryFrom { Step = 1 });

        Assert.Equal((RunState.Succeeded, 1), ((await node.Ended(stands)).State, (await node.Runs.Get(stands))!.Steps[0].Attempts));
        Assert.Equal((RunState.Succeeded, 2), ((await node.Ended(start)).State, (await node.Runs.Get(start))!.Steps[0].Attempts));
        Assert.Contains("succeeded: only one that is", (await Assert.ThrowsAsync<RunActionException>(() => node.Runs.Retry(start, "ada"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_can_be_retried_with_a_corrected_input_that_keeps_its_plan()
    {
        await using var node = await TestNode.Start(new Actors().On("b", (_, told) => told.Payload == "wrong" ? throw new StepRejectedException("no such host") : Task.FromResult(told.Payload)));
        var id = await node.Begin("a", new Spec("b") { Payload = "wrong" });
        await node.Is(id, RunState.Paused);
        static System.Text.Json.JsonElement Json(Script script) => System.Text.Json.JsonSerializer.SerializeToElement(script, EngineJson.Options);

        var other = await Assert.ThrowsAsync<RunActionException>(() => node.Runs.Retry(id, "ada", null, new RetryFrom { Input = Json(new Script(["x", "b"])) }));
        var key = await Assert.ThrowsAsync<RunActionException>(() => node.Runs.Retry(id, "ada", null, new RetryFrom { Input = Json(new Script(["a", "b"]) { Key = "k" }) }));
        var none = await Assert.ThrowsAsync<RunActionException>(() => node.Runs.Retry(id, "ada", null, new RetryFrom { Input = Json(new Script([])) }));
        var large = await Assert.ThrowsAsync<RunActionException>(
            () => node.Runs.Retry(id, "ada", null, new RetryFrom { Input = Json(new Script(["a", new Spec("b") { Payload = new string('x', 300 * 1024) }])) }));
        var nothing = await Assert.ThrowsAsync<RunActionException>(() => node.Runs.Retry(id, "ada", null, new RetryFrom { Input = default(System.Text.Json.JsonElement) }));
        await node.Runs.Retry(id, "ada", "a slip of the pen", new RetryFrom { Input = Json(new Script(["a", new Spec("b") { Payload = "right" }]) { Title = "corrected" }) });
        var run = await node.Ended(id);

        Assert.Contains("step 'a', already begun, is not where it was", other.Message, StringComparison.Ordinal);
        Assert.Contains("would hold 'k'", key.Message, StringComparison.Ordinal);
        Assert.Contains("cannot be made from the new input", none.Message, StringComparison.Ordinal);
        Assert.Contains("The new input has 300 KiB as JSON; a run takes at most 256 KiB.", large.Message, StringComparison.Ordinal);
        Assert.Equal((RunState.Succeeded, "corrected", "right"), (run.State, run.Title, run.Steps[1].Output!.Value.GetString()));
        Assert.Equal(["a", "b", "b"], node.Actors.Calls);
        Assert.Contains("no JSON at all", nothing.Message, StringComparison.Ordinal);
        Assert.Contains("The former input: {", Assert.Single(run.Events, e => e.What == "edited").Why, StringComparison.Ordinal);
        Assert.Contains("\"wrong\"", run.Events.Single(e => e.What == "edited").Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_waits_for_its_next_try_can_be_told_to_make_it_now()
    {
        var broken = true;
        await using var node = await TestNode.Start(new Actors().On("a", _ => broken ? throw new InvalidOperationException("busy") : Task.CompletedTask));
        var id = await node.Begin(new Spec("a") { Tries = 3, WaitMs = 3_600_000 });
        await node.Until(id, r => r.State == RunState.Waiting && r.Steps[0].State == StepState.Retrying);
        broken = false;

        await node.Runs.Retry(id, "ada");

        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
    }

    [Fact]
    public async Task A_plan_can_be_looked_at_without_executing_anything()
    {
        await using var node = await TestNode.Start();

        var plan = node.Runs.Plan<ScriptedWorkflow, Script>(new Script(["a", new Spec("b") { Needs = "a" }, new Spec("c") { When = true, Plain = true }]) { Key = "server:1", Title = "look" });

        Assert.Equal(("scripted", 1, "look", "server:1"), (plan.Kind, plan.Version, plan.Title, plan.ExclusiveKey));
        Assert.Equal([("a", true, true, false), ("b", false, true, false), ("c", true, false, true)], plan.Steps.Select(s => (s.Name, s.Input is not null, s.CanUndo, s.Conditional)));
        Assert.Equal(["a"], plan.Steps[1].Needs);
        Assert.Empty(await node.Runs.List(new RunFilter()));
        Assert.Empty(node.Actors.Calls);
    }

    [Fact]
    public async Task An_action_on_a_selection_does_what_it_can_and_says_what_it_cannot()
    {
        var broken = true;
        await using var node = await TestNode.Start(new Actors().On("bad", _ => broken ? throw new StepRejectedException("no") : Task.CompletedTask));
        var mine = new StartRun { RequestedBy = "ada", Subject = "server:1" };
        var paused = new[] { await node.Begin(new Script(["bad"]), mine), await node.Begin(new Script(["bad"]), mine) };
        var done = await node.Begin(new Script(["a"]), mine);
        var other = await node.Begin("bad");
        foreach (var id in paused.Append(other))
        {
            await node.Is(id, RunState.Paused);
        }

        await node.Ended(done);
        broken = false;

        var result = await node.Runs.Act(new RunFilter { Subject = "server:1", States = [RunState.Paused, RunState.Succeeded] }, BulkVerb.Retry, "ada", "repaired");

        Assert.False(result.More);
        Assert.Equal([done], result.Outcomes.Where(o => o.Refused is not null).Select(o => o.Run.Id));
        Assert.All(await Task.WhenAll(paused.Select(node.Ended)), r => Assert.Contains(r.Events, e => e is { Who: "ada", What: "retried" }));
        Assert.Equal(RunState.Paused, (await node.Runs.Get(other))!.State);
        await Assert.ThrowsAsync<ArgumentException>(() => node.Runs.Act(new RunFilter(), BulkVerb.Cancel, "ada"));

        // Without states those alone that the action is for: what has ended does not stand before what is meant.
        Assert.Equal([other], (await node.Runs.Act(new RunFilter { Kind = "scripted" }, BulkVerb.RaisePriority, "ada")).Outcomes.Select(o => o.Run.Id));
        Assert.Empty((await node.Runs.Act(new RunFilter { Kind = "scripted" }, BulkVerb.RaisePriority, "ada")).Outcomes);
    }

    [Fact]
    public async Task A_retry_of_all_runs_leaves_alone_what_somebody_has_cancelled_unless_that_is_said()
    {
        var broken = true;
        await using var node = await TestNode.Start(new Actors().On("bad", _ => broken ? throw new StepRejectedException("no") : Task.CompletedTask));
        var (paused, cancelled) = (await node.Begin("bad"), await node.Begin("bad"));
        await node.Is(paused, RunState.Paused);
        await node.Is(cancelled, RunState.Paused);
        await node.Runs.Cancel(cancelled, CancelMode.Stop, "ada");
        broken = false;

        var retried = await node.Runs.Act(new RunFilter { Kind = "scripted" }, BulkVerb.Retry, "ada");
        Assert.Equal([paused], retried.Outcomes.Select(o => o.Run.Id));
        Assert.Equal(RunState.Cancelled, (await node.Runs.Get(cancelled))!.State);

        await node.Runs.Act(new RunFilter { Kind = "scripted", States = [RunState.Cancelled] }, BulkVerb.Retry, "ada");
        Assert.Equal(RunState.Succeeded, (await node.Ended(cancelled)).State);
    }
}
