using System.Text.Json;

namespace ManagedServers.Engine.Tests;

public sealed class WaitTests
{
    private static readonly StartRun ByAda = new() { RequestedBy = "ada" };

    private static Task<TestNode> Start(Actors? actors = null, string? database = null, int workers = 4) =>
        TestNode.Start(actors, database, o => o.Workers = workers, s => s.AddWorkflow<Waiting>());

    private static async Task<Guid> Begin(TestNode node, WaitScript script) => (await node.Runs.Start<Waiting, WaitScript>(script, ByAda)).Id;

    private static Task<RunDetails> WaitsAt(TestNode node, Guid id, string step) =>
        node.Until(id, r => r.State == RunState.Waiting && r.Steps.Any(s => s.Name == step && s.State == StepState.Waiting));

    [Fact]
    public async Task A_run_waits_for_its_signal_and_hands_what_it_carried_to_the_next_step()
    {
        await using var node = await Start();
        var id = await Begin(node, new WaitScript("signal"));

        var waiting = await WaitsAt(node, id, "checked-in");
        await node.Runs.Signal(id, "checked-in", new CheckedIn("ns1", 53), "host", "enrolled");
        var run = await node.Ended(id);

        Assert.Equal("Step 2, 'Wait until the host has checked in': Waits for the signal 'checked-in'.", waiting.Reason);
        Assert.Equal((StepKind.Signal, StepState.Waiting), (waiting.Steps[1].Kind, waiting.Steps[1].State));
        Assert.True(waiting.Steps[1].NextTryAt > waiting.CreatedAt.AddDays(6));
        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Equal("ns1:53", run.Steps[2].Output!.Value.GetString());
        Assert.Contains(run.Events, e => e is { Who: "host", What: "signalled" } && e.Why == "enrolled Step 2, 'checked-in'.");
    }

    [Fact]
    public async Task A_signal_that_comes_before_its_wait_is_kept_and_a_second_one_is_refused()
    {
        var go = new TaskCompletionSource();
        await using var node = await Start(new Actors().On("first", _ => go.Task));
        var id = await Begin(node, new WaitScript("signal"));
        await node.Until(id, r => r.Steps[0].State == StepState.Running);

        await node.Runs.Signal(id, "checked-in", new CheckedIn("early", 1), "host");
        var again = await Assert.ThrowsAsync<RunActionException>(() => node.Runs.Signal(id, "checked-in", new CheckedIn("late", 2), "host"));
        go.SetResult();
        var run = await node.Ended(id);

        Assert.Contains("has been sent 'checked-in' already", again.Message, StringComparison.Ordinal);
        Assert.Equal("early:1", run.Steps[2].Output!.Value.GetString());
        var late = await Assert.ThrowsAsync<RunActionException>(() => node.Runs.Signal(id, "checked-in", new CheckedIn("x", 3), "host"));
        Assert.Contains("has ended", late.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signals_that_race_with_runs_going_to_sleep_wake_every_one_of_them()
    {
        await using var node = await Start(workers: 8);
        var ids = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => Begin(node, new WaitScript("signal"))));

        await Task.WhenAll(ids.Select((id, i) => node.Runs.Signal(id, "checked-in", new CheckedIn("h", i), "host")));

        foreach (var id in ids)
        {
            Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
        }
    }

    [Theory]
    [InlineData("""{"name": "ns1", "port": "many"}""", "checked-in", "is not what its step waits for")]
    [InlineData("null", "checked-in", "it is null")]
    [InlineData("{}", "no-such", "no step 'no-such' that waits for a signal. Those that do: 'checked-in'")]
    [InlineData("{}", "first", "no step 'first' that waits for a signal")]
    public async Task A_signal_that_does_not_fit_is_refused_and_the_run_goes_on_waiting(string payload, string step, string said)
    {
        await using var node = await Start();
        var id = await Begin(node, new WaitScript("signal"));
        await WaitsAt(node, id, "checked-in");

        var refused = await Assert.ThrowsAsync<RunActionException>(() => node.Runs.Signal(id, step, JsonSerializer.Deserialize<JsonElement>(payload), "host"));

        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
        Assert.Equal(RunState.Waiting, (await node.Runs.Get(id))!.State);
    }

    [Fact]
    public async Task A_wait_holds_no_worker_and_outlives_its_node()
    {
        var actors = new Actors();
        var node = await Start(actors, workers: 1);
        var id = await Begin(node, new WaitScript("signal"));
        await WaitsAt(node, id, "checked-in");
        Assert.Equal(RunState.Succeeded, (await node.Ended(await node.Begin("other"))).State);
        await node.DisposeAsync();

        await using var later = await Start(actors, node.ConnectionString);
        await later.Runs.Signal(id, "checked-in", new CheckedIn("ns1", 53), "host");

        Assert.Equal(RunState.Succeeded, (await later.Ended(id)).State);
        Assert.Single(actors.Calls, "first");
    }

    [Fact]
    public async Task A_wait_that_is_over_fails_and_its_retry_waits_anew()
    {
        await using var node = await Start();
        var id = await Begin(node, new WaitScript("signal") { LimitMs = 300 });

        var run = await node.Is(id, RunState.Paused);
        await node.Runs.Signal(id, "checked-in", new CheckedIn("ns1", 53), "host");
        await node.Runs.Retry(id, "ada");
        var retried = await node.Ended(id);

        Assert.Equal("Step 2, 'Wait until the host has checked in', failed: Within 300 ms, the signal 'checked-in' did not come.", run.Reason);
        Assert.Equal((RunState.Succeeded, 2), (retried.State, retried.Steps[1].Attempts));
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(-TimeSpan.TicksPerMillisecond)]
    public async Task A_wait_without_a_limit_is_one_of_a_hundred_years(long ticks)
    {
        await using var node = await Start();
        var id = await Begin(node, new WaitScript("signal") { LimitTicks = ticks });

        var waiting = await WaitsAt(node, id, "checked-in");
        await node.Runs.Signal(id, "checked-in", new CheckedIn("ns1", 53), "host");

        Assert.Equal(100, waiting.Steps[1].NextTryAt!.Value.Year - waiting.CreatedAt.Year);
        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MinValue)]
    public void A_limit_is_more_than_nothing(long ticks)
    {
        var limit = TimeSpan.FromTicks(ticks);
        var plan = new WorkflowPlan<WaitScript>(new WaitScript("signal"), new Text([]));

        Assert.Throws<ArgumentOutOfRangeException>("limit", () => plan.WaitFor<CheckedIn>("a", "A", limit));
        Assert.Throws<ArgumentOutOfRangeException>("limit", () => plan.Approve("b", "B", limit));
        Assert.Throws<ArgumentOutOfRangeException>("limit", () => plan.Delay("c", "C", TimeSpan.Zero).Timeout(limit));
        Assert.Throws<ArgumentOutOfRangeException>("limit", () => plan.Timeout(limit));
    }

    [Fact]
    public async Task A_timer_ends_by_itself_and_can_be_skipped()
    {
        await using var node = await Start();
        var brief = await Begin(node, new WaitScript("timer") { LimitMs = 200 });
        var endless = await Begin(node, new WaitScript("timer"));

        Assert.Equal(RunState.Succeeded, (await node.Ended(brief)).State);
        await WaitsAt(node, endless, "settle");
        await node.Runs.Skip(endless, "ada", "calm enough");
        var run = await node.Ended(endless);

        Assert.Equal((RunState.Succeeded, StepState.Skipped), (run.State, run.Steps[1].State));
    }

    [Fact]
    public async Task An_approval_lets_the_run_go_on_and_says_who_gave_it()
    {
        await using var node = await Start();
        var id = await Begin(node, new WaitScript("approval"));

        var waiting = await WaitsAt(node, id, "accept-key");
        var skipped = await Assert.ThrowsAsync<RunActionException>(() => node.Runs.Skip(id, "ada"));
        var signalled = await Assert.ThrowsAsync<RunActionException>(() => node.Runs.Signal(id, "accept-key", new { approved = true }, "host"));
        await node.Runs.Decide(id, "accept-key", true, "eve", "compared it");
        var run = await node.Ended(id);

        Assert.Contains("Waits for somebody to approve or reject it.", waiting.Reason, StringComparison.Ordinal);
        Assert.Contains("approve or reject it", skipped.Message, StringComparison.Ordinal);
        Assert.Contains("no step 'accept-key' that waits for a signal", signalled.Message, StringComparison.Ordinal);
        Assert.Equal("eve", run.Steps[1].Output!.Value.GetProperty("who").GetString());
        Assert.Contains(run.Events, e => e is { Who: "eve", What: "approved" });
    }

    [Fact]
    public async Task A_rejection_undoes_what_was_done()
    {
        await using var node = await Start();
        var id = await Begin(node, new WaitScript("approval"));
        await WaitsAt(node, id, "accept-key");

        await node.Runs.Decide(id, "accept-key", false, "eve", "it is another host");
        var run = await node.Ended(id);

        Assert.Equal(RunState.Failed, run.State);
        Assert.Contains("Rejected by eve: it is another host. What it had done was undone.", run.Reason, StringComparison.Ordinal);
        Assert.Equal(["first", "undo first (first)"], node.Actors.Calls);
    }

    [Theory]
    [InlineData(CancelMode.Stop, "")]
    [InlineData(CancelMode.Undo, "undo first (first)")]
    public async Task A_waiting_run_is_cancelled_at_once(CancelMode mode, string undone)
    {
        await using var node = await Start();
        var id = await Begin(node, new WaitScript("signal"));
        await WaitsAt(node, id, "checked-in");

        await node.Runs.Cancel(id, mode, "ada", "no need");
        var run = await node.Ended(id);

        Assert.Equal((RunState.Cancelled, StepState.Cancelled), (run.State, run.Steps[1].State));
        Assert.Equal(undone, string.Join(",", node.Actors.Calls.Skip(1)));
    }

    [Fact]
    public async Task A_rejected_approval_asks_again_when_the_run_is_retried()
    {
        await using var node = await Start();
        var id = await Begin(node, new WaitScript("approval"));
        await WaitsAt(node, id, "accept-key");
        await node.Runs.Decide(id, "accept-key", false, "bob", "not yet");
        var rejected = await node.Until(id, r => r.State is RunState.Failed or RunState.Paused);
        Assert.Contains("Rejected by bob: not yet", rejected.Reason, StringComparison.Ordinal);

        await node.Runs.Retry(id, "ada");
        await WaitsAt(node, id, "accept-key");
        await node.Runs.Decide(id, "accept-key", true, "bob", "looked at it");

        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
    }

    public sealed record WaitScript(string Wait)
    {
        public int LimitMs { get; init; } = (int)TimeSpan.FromDays(7).TotalMilliseconds;

        public long? LimitTicks { get; init; }
    }

    public sealed record CheckedIn(string Name, int Port);

    [Workflow("waiting")]
    private sealed class Waiting : IWorkflow<WaitScript>
    {
        public string Title(WaitScript input) => $"wait for {input.Wait}";

        public void Describe(WorkflowPlan<WaitScript> plan)
        {
            plan.Step("first", "Begin", ScriptedStep.With(new Told("first", "first")));
            var limit = plan.Input.LimitTicks is { } ticks ? TimeSpan.FromTicks(ticks) : TimeSpan.FromMilliseconds(plan.Input.LimitMs);
            switch (plan.Input.Wait)
            {
                case "signal":
                    var host = plan.WaitFor<CheckedIn>("checked-in", "Wait until the host has checked in", limit);
                    plan.Step("last", "Use it", ScriptedStep.With(r => new Told("last", $"{r.Of(host).Name}:{r.Of(host).Port}")));
                    break;
                case "timer":
                    plan.Delay("settle", "Let it settle", limit);
                    break;
                default:
                    plan.Approve("accept-key", "Accept the new key?", limit);
                    break;
            }
        }
    }
}
