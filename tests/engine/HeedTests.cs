using Dapper;

namespace ManagedServers.Engine.Tests;

/// <summary>What operators have decided holds, whatever happens at the same moment.</summary>
public sealed class HeedTests
{
    private sealed class SpeechlessException : Exception
    {
        public override string Message => throw new InvalidOperationException();
    }

    [Fact]
    public async Task A_cancel_that_comes_as_a_step_fails_by_itself_is_heeded()
    {
        TestNode? node = null;
        var actors = new Actors().On("a", async step =>
        {
            // As the cancel writes it, before the node has heard of it.
            await using var connection = await node!.Database.OpenConnectionAsync();
            await connection.ExecuteAsync("update engine.run set cancel_mode = 'Stop', cancel_by = 'ada' where id = @RunId", new { step.RunId });
            throw new StepRejectedException("no disk");
        });
        await using (node = await TestNode.Start(actors))
        {
            var run = await node.Until(await node.Begin("a"), r => r.State is RunState.Cancelled or RunState.Paused);

            Assert.Equal(RunState.Cancelled, run.State);
            Assert.Contains("Cancelled by ada.", run.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_cancelled_step_that_does_not_let_go_keeps_its_runs_key_until_an_operator_has_looked()
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("deaf", _ => go.Task));
        var first = await node.Begin(new Script(["deaf"]) { Key = "k" });
        await node.Until(first, r => r.Steps[0].State == StepState.Running);
        var second = await node.Begin(new Script(["b"]) { Key = "k" });

        await node.Runs.Cancel(first, CancelMode.Stop, "ada");
        var paused = await node.Is(first, RunState.Paused);
        Assert.Contains("did not let go", paused.Reason, StringComparison.Ordinal);
        Assert.Equal(RunState.Queued, (await node.Runs.Get(second))!.State);

        await node.Runs.Cancel(first, CancelMode.Stop, "ada", "looked at it");
        Assert.Equal(RunState.Succeeded, (await node.Ended(second)).State);
        var cancelled = (await node.Runs.Get(first))!;
        Assert.Equal(RunState.Cancelled, cancelled.State);
        Assert.EndsWith("A step that did not let go may still be at work, and its key is free from now on: look at what it works on before another run does.", cancelled.Reason, StringComparison.Ordinal);
        go.SetResult();
    }

    [Fact]
    public async Task No_other_node_begins_a_run_again_while_a_step_of_it_that_did_not_let_go_is_at_work()
    {
        var go = new TaskCompletionSource();
        await using var one = await TestNode.Start(new Actors().On("deaf", _ => go.Task), options: o => o.LeaseRenewal = TimeSpan.FromMilliseconds(200));
        var control = (IEngineControl)one.Services.GetService(typeof(IEngineControl))!;
        var id = await one.Begin("deaf");
        await one.Until(id, r => r.Steps[0].State == StepState.Running);
        await one.Runs.Cancel(id, CancelMode.Stop, "ada");
        await one.Is(id, RunState.Paused);
        await control.Drain("one", "ada");
        await using var two = await TestNode.Start(database: one.ConnectionString, options: o => o.NodeName = "two");

        await one.Runs.Retry(id, "ada");
        var held = await one.Until(id, r => r.Reason!.Contains("did not let go", StringComparison.Ordinal));
        Assert.Equal((RunState.Queued, "A step of this run that did not let go is still at work on node one. It goes on when that has ended."), (held.State, held.Reason));
        go.SetResult();

        Assert.Equal(RunState.Succeeded, (await one.Ended(id)).State);
        Assert.Equal(["deaf"], two.Actors.Calls);
    }

    [Fact]
    public async Task A_run_that_its_node_has_claimed_without_learning_of_it_is_not_left_to_the_lease()
    {
        await using var node = await TestNode.Start();
        var control = (IEngineControl)node.Services.GetService(typeof(IEngineControl))!;
        await control.PauseKind("scripted", "ada");
        var id = await node.Begin("a");
        // As a claim writes it whose answer is lost.
        await using (var connection = await node.Database.OpenConnectionAsync())
        {
            await connection.ExecuteAsync("""
                update engine.run set state = 'running', fence = fence + 7, owner = n.name, incarnation = n.incarnation, claimed_at = now() - interval '10 s', lease_until = now() + interval '1 day'
                from engine.node n where engine.run.id = @id and n.name = 'one'
                """, new { id });
        }

        await control.ResumeKind("scripted", "ada");

        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
    }

    [Fact]
    public async Task A_run_goes_on_after_the_skipped_step_also_when_a_cancel_had_left_it_behind()
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("deaf", _ => go.Task));
        var id = await node.Begin("deaf", "b");
        await node.Until(id, r => r.Steps[0].State == StepState.Running);
        await node.Runs.Cancel(id, CancelMode.Stop, "ada");
        await node.Is(id, RunState.Paused);
        go.SetResult();

        await node.Runs.Skip(id, "ada", "it has ended");

        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
        Assert.Contains("b", node.Actors.Calls);
    }

    [Fact]
    public async Task A_cancel_with_undo_is_heeded_after_the_runs_time_is_over_and_its_last_step_done()
    {
        TestNode? node = null;
        var actors = new Actors().On("long", async step =>
        {
            await Task.WhenAny(Task.Delay(Timeout.Infinite, step.Cancellation)); // until the run's time is over
            await using var connection = await node!.Database.OpenConnectionAsync();
            await connection.ExecuteAsync("update engine.run set cancel_mode = 'Undo', cancel_by = 'ada' where id = @RunId", new { step.RunId });
        });
        await using (node = await TestNode.Start(actors))
        {
            var run = await node.Ended(await node.Begin(new Script(["long"]) { TimeoutMs = 500 }));

            Assert.Equal(RunState.Cancelled, run.State);
            Assert.Contains("undo long (long)", node.Actors.Calls);
        }
    }

    [Fact]
    public async Task A_kind_that_is_paused_holds_its_runs_before_their_next_step()
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("a", _ => go.Task));
        var control = (IEngineControl)node.Services.GetService(typeof(IEngineControl))!;
        var id = await node.Begin("a", "b");
        await node.Until(id, r => r.Steps[0].State == StepState.Running);

        await control.PauseKind("scripted", "ada", "a bad release");
        go.SetResult();
        var held = await node.Until(id, r => r.State == RunState.Queued && r.Reason is not null);
        Assert.Contains("are paused by ada: a bad release", held.Reason, StringComparison.Ordinal);
        Assert.Equal((StepState.Succeeded, 0), (held.Steps[0].State, held.Steps[1].Attempts));

        await control.ResumeKind("scripted", "ada");
        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
        Assert.Equal(["a", "b"], node.Actors.Calls);
    }

    [Fact]
    public async Task A_run_of_a_workflow_that_no_node_knows_waits_for_one_that_does()
    {
        await using var desk = await ChildNode.Desk();
        var id = await desk.Begin("a");
        await using var connection = await desk.Database.OpenConnectionAsync();
        await connection.ExecuteAsync("update engine.run set kind = 'stranger' where id = @id", new { id });
        await using var node = await TestNode.Start(database: desk.ConnectionString);

        var waiting = await node.Until(id, r => r.Reason is not null);
        Assert.Equal((RunState.Queued, 0), (waiting.State, waiting.Steps[0].Attempts));
        Assert.Contains("knows no workflow stranger, and waits for one that does", waiting.Reason, StringComparison.Ordinal);

        await connection.ExecuteAsync("update engine.run set kind = 'scripted' where id = @id", new { id });
        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
    }

    [Fact]
    public async Task What_a_run_did_beyond_the_step_that_it_was_retried_from_is_undone_too()
    {
        var actors = new Actors().On("d", _ => throw new StepRejectedException("no disk"))
            .On("a", step => step.Attempt > 1 ? throw new StepRejectedException("no host") : Task.CompletedTask);
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin(new Spec("a") { OnFailure = StepFailure.Compensate }, "b", "c", "d");
        await node.Is(id, RunState.Paused);

        await node.Runs.Retry(id, "ada", null, new RetryFrom { Step = 1 });
        var run = await node.Ended(id);

        Assert.Equal(RunState.Failed, run.State);
        Assert.Equal(["undo c (c)", "undo b (b)"], node.Actors.Calls.Where(c => c is "undo c (c)" or "undo b (b)"));
    }

    [Fact]
    public async Task The_time_limit_of_a_run_does_not_hit_its_undo()
    {
        var actors = new Actors().On("b", _ => throw new StepRejectedException("no disk"));
        actors.OnUndo("a", async (step, _) => await Task.Delay(1500, step.Cancellation));
        await using var node = await TestNode.Start(actors);

        var run = await node.Ended(await node.Begin(new Script(["a", new Spec("b") { OnFailure = StepFailure.Compensate }]) { TimeoutMs = 1000 }));

        Assert.Equal(RunState.Failed, run.State);
        Assert.Single(node.Actors.Calls, c => c.StartsWith("undo a", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Neither_a_callback_that_throws_nor_an_exception_that_cannot_speak_harms_the_node()
    {
        var actors = new Actors().On("late", async step =>
        {
            step.Cancellation.Register(() => throw new InvalidOperationException("in a callback"));
            await Task.Delay(Timeout.Infinite, step.Cancellation);
        }).On("speechless", _ => throw new SpeechlessException());
        await using var node = await TestNode.Start(actors);

        var late = await node.Is(await node.Begin(new Spec("late") { TimeoutMs = 50 }), RunState.Paused);
        var speechless = await node.Is(await node.Begin("speechless"), RunState.Paused);

        Assert.Contains("No answer within 50 ms", late.Reason, StringComparison.Ordinal);
        Assert.Contains("SpeechlessException, which cannot say its message", speechless.Reason, StringComparison.Ordinal);
        Assert.Equal(RunState.Succeeded, (await node.Ended(await node.Begin("a"))).State);
    }

    [Fact]
    public async Task A_run_whose_row_is_locked_costs_no_other_run_its_lease()
    {
        var go = new TaskCompletionSource();
        var actors = new Actors().On("a", step => go.Task.WaitAsync(step.Cancellation)).On("b", step => go.Task.WaitAsync(step.Cancellation));
        await using var node = await TestNode.Start(actors, options: o =>
            (o.LeaseRenewal, o.SelfFencing, o.Lease) = (TimeSpan.FromMilliseconds(300), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(6)));
        var (locked, free) = (await node.Begin("a"), await node.Begin("b"));
        await node.Until(locked, r => r.Steps[0].State == StepState.Running);
        await node.Until(free, r => r.Steps[0].State == StepState.Running);
        await using var connection = await node.Database.OpenConnectionAsync();
        var until = await connection.ExecuteScalarAsync<DateTime>("select lease_until from engine.run where id = @free", new { free });
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await connection.ExecuteAsync("select from engine.run where id = @locked for update", new { locked }, transaction);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            while (await connection.ExecuteScalarAsync<DateTime>("select lease_until from engine.run where id = @free", new { free }) < until.AddSeconds(4))
            {
                await Task.Delay(50, patience.Token);
            }
        }

        go.SetResult();
        Assert.Equal((RunState.Succeeded, 1), ((await node.Ended(free)).State, (await node.Runs.Get(free))!.Steps[0].Attempts));
        Assert.Equal(RunState.Succeeded, (await node.Ended(locked)).State);
    }

    [Fact]
    public async Task A_transaction_in_which_its_process_is_frozen_holds_its_locks_for_moments_only()
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("a", _ => go.Task));
        var id = await node.Begin("a");
        await node.Until(id, r => r.Steps[0].State == StepState.Running);
        await using var frozen = await node.Database.OpenConnectionAsync();
        await using var transaction = await frozen.BeginTransactionAsync();
        await EngineDatabase.LetGoWhenFrozen(transaction);
        await frozen.ExecuteAsync("select from engine.run where id = @id for update", new { id }, transaction);

        await node.Runs.SetPriority(id, RunPriority.High, "ada");

        go.SetResult();
        Assert.Equal((RunState.Succeeded, RunPriority.High), ((await node.Ended(id)).State, (await node.Runs.Get(id))!.Priority));
    }

    [Fact]
    public async Task A_run_whose_steps_follow_each_other_without_a_pause_keeps_its_lease()
    {
        // Together they take longer than a node may go without renewing.
        var names = Enumerable.Range(1, 1500).Select(n => $"s{n}").ToList();
        var actors = names.Aggregate(new Actors(), (all, name) => all.On(name, _ => Task.Delay(2)));
        await using var node = await TestNode.Start(actors, options: o =>
            (o.LeaseRenewal, o.SelfFencing, o.Lease) = (TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(6)));
        var id = await node.Begin(new Script([.. names.Select(name => new Spec(name))]));

        var run = await node.Ended(id);

        Assert.Equal((RunState.Succeeded, 0), (run.State, run.Recoveries));
    }
}
