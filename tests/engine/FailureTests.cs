using System.Diagnostics;
using Npgsql;

namespace ManagedServers.Engine.Tests;

public sealed class FailureTests
{
    private static Func<StepContext, Task> FailsUntil(int attempt) =>
        step => step.Attempt < attempt ? throw new IOException($"no answer {step.Attempt}") : Task.CompletedTask;

    [Fact]
    public async Task A_failing_step_is_tried_again_in_place_and_its_attempts_stay_in_the_journal()
    {
        await using var node = await TestNode.Start(new Actors().On("a", FailsUntil(3)));

        var run = await node.Ended(await node.Begin(new Spec("a") { Tries = 5 }));

        Assert.Equal((RunState.Succeeded, 3), (run.State, run.Steps[0].Attempts));
        Assert.Single(run.Events, e => e.What == "claimed");
    }

    [Fact]
    public async Task A_long_wait_before_the_next_try_frees_the_worker_and_shows_when_it_comes()
    {
        await using var node = await TestNode.Start(new Actors().On("a", FailsUntil(2)), options: o => (o.ShortWait, o.Workers) = (TimeSpan.Zero, 1));
        var id = await node.Begin(new Spec("a") { Tries = 2, WaitMs = 1500 });

        var waiting = await node.Is(id, RunState.Waiting);
        Assert.Equal((StepState.Retrying, "no answer 1"), (waiting.Steps[0].State, waiting.Steps[0].Error));
        Assert.NotNull(waiting.Steps[0].NextTryAt);
        Assert.Contains("failed (try 1 of 2), the next try is in", waiting.Reason, StringComparison.Ordinal);
        Assert.Equal(RunState.Succeeded, (await node.Ended(await node.Begin("b"))).State);

        var run = await node.Ended(id);
        Assert.Equal((RunState.Succeeded, 2), (run.State, run.Steps[0].Attempts));
        Assert.Equal(2, run.Events.Count(e => e.What == "claimed"));
    }

    [Fact]
    public async Task A_rejection_is_never_tried_again_and_pauses_with_the_reason()
    {
        await using var node = await TestNode.Start(new Actors().On("a", _ => throw new StepRejectedException("The password of root was refused.")));

        var run = await node.Is(await node.Begin(new Spec("a") { Tries = 5 }), RunState.Paused);

        Assert.Equal((StepState.Failed, 1, "The password of root was refused."), (run.Steps[0].State, run.Steps[0].Attempts, run.Steps[0].Error));
        Assert.Equal("Step 1, 'Do a', failed: The password of root was refused.", run.Reason);
        Assert.Equal("paused", run.Events[^1].What);
    }

    [Fact]
    public async Task A_step_of_which_nobody_knows_how_far_it_came_pauses_the_run_though_its_failure_would_end_it()
    {
        var successes = -1;
        var actors = new Actors().On("b", step => step.Attempt == 1 ? throw new StepUncertainException("Look at the host.") : Task.CompletedTask)
            .On("a", step => { successes = step.SuccessesOf(1); return Task.CompletedTask; });
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin("a", new Spec("b") { Tries = 5, OnFailure = StepFailure.Fail });

        var run = await node.Is(id, RunState.Paused);
        Assert.Equal((StepState.Failed, 1, "Step 2, 'Do b': Look at the host."), (run.Steps[1].State, run.Steps[1].Attempts, run.Reason));
        await node.Runs.Retry(id, "ada", null, new RetryFrom { Step = 1 });

        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
        Assert.Equal(1, successes);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_step_cut_off_by_its_limit_that_says_what_that_means_is_believed_and_not_tried_again(bool uncertain)
    {
        var actors = new Actors().On("a", async step =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, step.Cancellation);
            }
            catch (OperationCanceledException)
            {
                throw uncertain ? new StepUncertainException("Nobody knows how far it came.") : new StepRejectedException("It can never end.");
            }
        });
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin(new Spec("a") { Tries = 3, TimeoutMs = 300 });

        var run = await node.Is(id, RunState.Paused);

        Assert.Equal((StepState.Failed, 1, uncertain ? "Nobody knows how far it came." : "It can never end."), (run.Steps[0].State, run.Steps[0].Attempts, run.Steps[0].Error));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_step_cut_off_by_the_runs_limit_or_a_stop_that_says_what_that_means_is_believed(bool uncertain)
    {
        var actors = new Actors().On("a", async step =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, step.Cancellation);
            }
            catch (OperationCanceledException)
            {
                throw uncertain ? new StepUncertainException("Nobody knows how far it came.") : new StepRejectedException("It can never end.");
            }
        });
        await using var node = await TestNode.Start(actors, options: o => o.StopGrace = TimeSpan.Zero);
        var late = await node.Is(await node.Begin(new Script([new Spec("a") { Tries = 3 }]) { TimeoutMs = 300 }), RunState.Paused);
        var stopped = await node.Begin(new Spec("a") { Tries = 3 });
        await node.Until(stopped, r => r.Steps[0].State == StepState.Running);

        await node.Stop();

        await using var other = await TestNode.Start(database: node.ConnectionString, options: o => (o.NodeName, o.Workers) = ("two", 0));
        Assert.All([late, (await other.Runs.Get(stopped))!], run => Assert.Equal(
            (RunState.Paused, StepState.Failed, 1, uncertain ? "Nobody knows how far it came." : "It can never end."),
            (run.State, run.Steps[0].State, run.Steps[0].Attempts, run.Steps[0].Error)));
    }

    [Fact]
    public async Task What_a_cancelled_step_knows_of_its_end_stands_beside_the_cancel()
    {
        var actors = new Actors().On("a", async step =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, step.Cancellation);
            }
            catch (OperationCanceledException)
            {
                throw new StepUncertainException("Nobody knows how far it came.");
            }
        });
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin("a");
        await node.Until(id, r => r.Steps[0].State == StepState.Running);

        await node.Runs.Cancel(id, CancelMode.Stop, "ada", "wrong one");

        var run = await node.Ended(id);
        Assert.Equal((RunState.Cancelled, "Cancelled by ada: wrong one. Nobody knows how far it came."), (run.State, run.Steps[0].Error));
    }

    [Fact]
    public async Task After_the_runs_limit_a_skipped_step_leaves_the_steps_behind_it_their_time()
    {
        var actors = new Actors().On("a", step => Task.Delay(Timeout.Infinite, step.Cancellation)).On("b", step => Task.Delay(300, step.Cancellation));
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin(new Script(["a", "b", "c"]) { TimeoutMs = 2000 });
        await node.Is(id, RunState.Paused);

        await node.Runs.Skip(id, "ada");

        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
    }

    [Theory]
    [InlineData("25006", true)]
    [InlineData("57014", true)]
    [InlineData("23505", false)]
    public void A_database_that_fails_over_is_waited_for_and_a_wrong_statement_is_not(string state, bool passing) =>
        Assert.Equal(passing, TransientFault.Is(new PostgresException("x", "ERROR", "ERROR", state)));

    [Fact]
    public async Task A_step_that_takes_longer_than_its_limit_is_cancelled_and_tried_again()
    {
        var actors = new Actors().On("a", async step =>
        {
            if (step.Attempt == 1)
            {
                await Task.Delay(Timeout.Infinite, step.Cancellation);
            }
        });
        await using var node = await TestNode.Start(actors);

        var run = await node.Ended(await node.Begin(new Spec("a") { Tries = 2, TimeoutMs = 100 }));

        Assert.Equal((RunState.Succeeded, 2), (run.State, run.Steps[0].Attempts));
        Assert.Contains((await node.Runs.Log(run.Id)).Select(l => l.Message), m => m == "No answer within 100 ms, the time limit of this step.");
    }

    [Fact]
    public async Task A_step_that_never_lets_go_is_left_behind_and_the_run_pauses_instead_of_doing_it_twice()
    {
        using var forever = new ManualResetEventSlim();
        StepContext? left = null;
        bool? told = null;
        var actors = new Actors().On("a", step =>
        {
            if (step.Attempt > 1)
            {
                told = step.WasInterrupted;
                return Task.CompletedTask;
            }

            left = step;
            forever.Wait();
            step.Log("from beyond");
            return Task.CompletedTask;
        });
        await using var node = await TestNode.Start(actors, options: o => o.LetGo = TimeSpan.FromMilliseconds(200));

        var run = await node.Is(await node.Begin(new Spec("a") { Tries = 5, TimeoutMs = 100 }), RunState.Paused);
        forever.Set();

        Assert.Contains("gave no answer within 100 ms, its time limit, and did not let go within 200 ms. It may still be at work", run.Reason, StringComparison.Ordinal);
        Assert.Equal(1, run.Steps[0].Attempts);
        left!.Log("too late");
        Assert.DoesNotContain((await node.Runs.Log(run.Id)).Select(l => l.Message), m => m.Contains("beyond", StringComparison.Ordinal) || m == "too late");

        // As after a crash: nobody knows how far the one before has come.
        await node.Runs.Retry(run.Id, "ada");
        Assert.Equal((RunState.Succeeded, true), ((await node.Ended(run.Id)).State, told));
    }

    [Fact]
    public async Task A_run_that_takes_longer_than_its_limit_pauses_and_a_retry_gives_it_that_time_again()
    {
        var actors = new Actors().On("b", step => step.Attempt == 1 ? Task.Delay(Timeout.Infinite, step.Cancellation) : Task.CompletedTask);
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin(new Script(["a", "b"]) { TimeoutMs = 2000 });

        var run = await node.Is(id, RunState.Paused);
        Assert.StartsWith("The run may take 2 s, and that is over.", run.Reason, StringComparison.Ordinal);
        await node.Runs.Retry(id, "ada");

        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
    }

    [Fact]
    public async Task A_failure_that_ends_the_run_leaves_the_steps_after_it_pending()
    {
        await using var node = await TestNode.Start(new Actors().On("a", _ => throw new StepRejectedException("no disk")));

        var run = await node.Ended(await node.Begin(new Spec("a") { OnFailure = StepFailure.Fail }, "b"));

        Assert.Equal((RunState.Failed, "Step 1, 'Do a', failed: no disk"), (run.State, run.Reason));
        Assert.Equal([StepState.Failed, StepState.Pending], run.Steps.Select(s => s.State));
    }

    [Fact]
    public async Task A_failure_that_does_not_matter_is_passed_over_and_the_outcome_says_so()
    {
        await using var node = await TestNode.Start(new Actors().On("a", _ => throw new StepRejectedException("no")));

        var run = await node.Ended(await node.Begin(new Spec("a") { OnFailure = StepFailure.Continue }, "b"));

        Assert.Equal((RunState.Succeeded, "Done, but step 1 failed and was passed over."), (run.State, run.Reason));
        Assert.Equal([StepState.Failed, StepState.Succeeded], run.Steps.Select(s => s.State));
    }

    [Fact]
    public void Waits_grow_up_to_their_longest_and_end_with_the_tries()
    {
        var policy = Backoff.Exponential(6, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));

        Assert.Equal([1, 2, 4, 5, 5, null], Enumerable.Range(1, 6).Select(a => policy.After(a)?.TotalSeconds));
    }

    [Fact]
    public void A_wait_between_tries_is_a_hundred_years_at_most_and_never_negative()
    {
        Assert.Equal(TimeLimits.Longest, Backoff.Exponential(9, TimeSpan.MaxValue, TimeSpan.MaxValue).After(8));
        Assert.Throws<ArgumentOutOfRangeException>(() => Backoff.Fixed(2, TimeSpan.FromSeconds(-1)));
    }

    [Fact]
    public async Task Tries_are_counted_across_a_restart_of_the_node()
    {
        var actors = new Actors().On("a", _ => throw new IOException("no"));
        var first = await TestNode.Start(actors, options: o => o.ShortWait = TimeSpan.Zero);
        var id = await first.Begin(new Spec("a") { Tries = 3, WaitMs = 700 });
        await first.Until(id, r => r.Steps[0].Attempts == 1 && r.State == RunState.Waiting);
        await first.DisposeAsync();

        await using var second = await TestNode.Start(actors, first.ConnectionString, o => o.ShortWait = TimeSpan.Zero);
        var run = await second.Is(id, RunState.Paused);

        Assert.Equal(3, run.Steps[0].Attempts);
    }

    [Fact]
    public async Task A_wait_varies_by_at_most_a_fifth()
    {
        var began = new List<long>();
        var actors = new Actors().On("a", _ => { began.Add(Stopwatch.GetTimestamp()); throw new IOException("no"); });
        await using var node = await TestNode.Start(actors);

        await node.Is(await node.Begin(new Spec("a") { Tries = 4, WaitMs = 300 }), RunState.Paused);

        Assert.All(began.Zip(began.Skip(1), Stopwatch.GetElapsedTime), wait => Assert.InRange(wait.TotalMilliseconds, 235, 1500));
    }
}
