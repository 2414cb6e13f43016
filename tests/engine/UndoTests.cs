namespace ManagedServers.Engine.Tests;

public sealed class UndoTests
{
    private static readonly Spec Breaks = new("breaks") { OnFailure = StepFailure.Compensate };

    private static Actors Breaking() => new Actors().On("breaks", _ => throw new StepRejectedException("port 53 is taken"));

    [Fact]
    public async Task A_compensated_failure_takes_back_the_failed_step_and_those_before_it_last_first()
    {
        await using var node = await TestNode.Start(Breaking());

        var run = await node.Ended(await node.Begin("a", new Spec("b") { Plain = true }, "c", Breaks, "never"));

        Assert.Equal(["a", "b", "c", "breaks", "undo breaks (nothing known)", "undo c (c)", "undo a (a)"], node.Actors.Calls);
        Assert.Equal((RunState.Failed, "Step 4, 'Do breaks', failed: port 53 is taken. What it had done was undone."), (run.State, run.Reason));
        Assert.Equal([StepState.Undone, StepState.Succeeded, StepState.Undone, StepState.Undone, StepState.Pending], run.Steps.Select(s => s.State));
        Assert.Equal(["started", "claimed", "undoing", "failed"], run.Events.Select(e => e.What));
        Assert.False(run.Undoing);
    }

    [Fact]
    public async Task What_a_step_found_done_before_it_came_is_not_taken_back()
    {
        var actors = Breaking().On("a", step => { step.Unchanged("was there"); return Task.CompletedTask; });
        await using var node = await TestNode.Start(actors);

        await node.Ended(await node.Begin("a", Breaks));

        Assert.DoesNotContain("undo a (a)", node.Actors.Calls);
    }

    [Fact]
    public async Task An_undo_is_tried_again_like_a_step()
    {
        var actors = Breaking().OnUndo("a", (step, _) => step.Attempt < 3 ? throw new IOException("no") : Task.CompletedTask);
        await using var node = await TestNode.Start(actors);

        var run = await node.Ended(await node.Begin(new Spec("a") { Tries = 3 }, Breaks));

        Assert.Equal((RunState.Failed, StepState.Undone, 1), (run.State, run.Steps[0].State, run.Steps[0].Attempts));
        Assert.Equal(3, node.Actors.Calls.Count(c => c == "undo a (a)"));
    }

    [Fact]
    public async Task A_failed_undo_pauses_with_its_reason_and_goes_on_when_retried()
    {
        var broken = true;
        var actors = Breaking().OnUndo("b", (_, _) => broken ? throw new StepRejectedException("host is away") : Task.CompletedTask);
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin("a", "b", Breaks);

        var paused = await node.Is(id, RunState.Paused);
        Assert.Equal("Undoing step 2, 'Do b', failed, so its change is still there: host is away", paused.Reason);
        Assert.True(paused.Undoing);
        broken = false;
        await node.Runs.Retry(id, "ada");

        var run = await node.Ended(id);
        Assert.Equal((RunState.Failed, StepState.Undone, StepState.Undone), (run.State, run.Steps[0].State, run.Steps[1].State));
        Assert.Single(node.Actors.Calls, "undo a (a)");
    }

    [Fact]
    public async Task An_undo_that_was_stopped_is_not_called_undone_and_a_retry_begins_where_it_stood()
    {
        var actors = Breaking().OnUndo("b", (_, _) => throw new StepRejectedException("host is away"));
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin("a", "b", "c", Breaks);
        await node.Is(id, RunState.Paused);

        await node.Runs.Cancel(id, CancelMode.Stop, "ada");
        var stopped = await node.Ended(id);
        Assert.Equal((RunState.Cancelled, false), (stopped.State, stopped.Undone));
        Assert.Equal("Cancelled by ada. The undo was stopped; what it had not reached is still there.", stopped.Reason);

        node.Actors.Calls.Clear();
        await node.Runs.Retry(id, "ada");
        await node.Is(id, RunState.Paused);
        Assert.Equal(["b", "c", "breaks"], node.Actors.Calls.Take(3));
    }

    [Fact]
    public async Task A_failed_undo_can_be_skipped()
    {
        var actors = Breaking().OnUndo("b", (_, _) => throw new StepRejectedException("host is away"));
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin("a", "b", Breaks);
        await node.Is(id, RunState.Paused);

        await node.Runs.Skip(id, "ada", "done by hand");

        var run = await node.Ended(id);
        Assert.Equal((RunState.Failed, StepState.Undone, StepState.Succeeded), (run.State, run.Steps[0].State, run.Steps[1].State));
    }

    [Fact]
    public async Task An_undo_that_says_that_the_change_stays_holds_up_no_other_and_the_end_names_it()
    {
        var actors = Breaking().On("b", step => { step.Changed("wrote it"); return Task.CompletedTask; }).OnUndo("b", (_, _) => throw new StepStaysException("only the host can"));
        await using var node = await TestNode.Start(actors);

        var run = await node.Ended(await node.Begin("a", "b", Breaks));

        Assert.Equal((RunState.Failed, StepState.Undone, StepState.Succeeded), (run.State, run.Steps[0].State, run.Steps[1].State));
        Assert.Equal("Step 3, 'Do breaks', failed: port 53 is taken. What it had done was undone, except for step 2, 'Do b': look at what it has left.", run.Reason);
    }

    [Fact]
    public async Task A_run_that_was_undone_is_retried_from_the_start_and_can_be_undone_again()
    {
        var failures = 0;
        var actors = new Actors().On("breaks", _ => ++failures <= 2 ? throw new StepRejectedException("no") : Task.CompletedTask);
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin("a", Breaks);
        await node.Is(id, RunState.Failed);

        await node.Runs.Retry(id, "ada");
        await node.Until(id, r => r.State == RunState.Failed && r.Steps[0].Attempts == 2);
        await node.Runs.Retry(id, "ada");
        var run = await node.Ended(id);

        Assert.Equal((RunState.Succeeded, 2), (run.State, run.StepsDone));
        string[] failed = ["a", "breaks", "undo breaks (nothing known)", "undo a (a)"];
        Assert.Equal([.. failed, .. failed, "a", "breaks"], node.Actors.Calls);
        Assert.All(run.Steps, s => Assert.Equal((StepState.Succeeded, 3), (s.State, s.Attempts)));
    }

    [Fact]
    public async Task A_cancel_with_undo_lets_the_step_go_takes_back_what_was_done_and_ends_as_cancelled()
    {
        var begun = new TaskCompletionSource();
        var actors = new Actors().On("b", async step => { begun.SetResult(); await Task.Delay(Timeout.Infinite, step.Cancellation); });
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin("a", "b", "c");
        await begun.Task;

        await node.Runs.Cancel(id, CancelMode.Undo, "ada", "wrong host");
        var run = await node.Ended(id);

        Assert.Equal((RunState.Cancelled, "Cancelled by ada: wrong host. What it had done was undone."), (run.State, run.Reason));
        Assert.Equal(["a", "b", "undo b (nothing known)", "undo a (a)"], node.Actors.Calls);
        Assert.Equal([StepState.Undone, StepState.Undone, StepState.Pending], run.Steps.Select(s => s.State));
        Assert.Contains(run.Events, e => e is { Who: "ada", What: "cancelled", Why: "wrong host With undo." });
    }

    [Fact]
    public async Task A_paused_run_is_undone_by_a_cancel_with_undo()
    {
        var actors = new Actors().On("b", _ => throw new StepRejectedException("no"));
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin("a", "b");
        await node.Is(id, RunState.Paused);

        await node.Runs.Cancel(id, CancelMode.Undo, "ada");
        var run = await node.Ended(id);

        Assert.Equal((RunState.Cancelled, "Cancelled by ada. What it had done was undone."), (run.State, run.Reason));
        Assert.Equal(["a", "b", "undo b (nothing known)", "undo a (a)"], node.Actors.Calls);
    }

    [Fact]
    public async Task A_cancel_stops_an_undo_that_is_under_way()
    {
        var undoing = new TaskCompletionSource();
        var actors = Breaking().OnUndo("b", async (step, _) => { undoing.TrySetResult(); await Task.Delay(Timeout.Infinite, step.Cancellation); });
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin("a", "b", Breaks);
        await undoing.Task;

        await Assert.ThrowsAsync<RunActionException>(() => node.Runs.Cancel(id, CancelMode.Undo, "ada"));
        await node.Runs.Cancel(id, CancelMode.Stop, "ada");
        var run = await node.Ended(id);

        Assert.Equal((RunState.Cancelled, "Cancelled by ada. The undo was stopped; what it had not reached is still there."), (run.State, run.Reason));
        Assert.DoesNotContain("undo a (a)", node.Actors.Calls);
    }
}
