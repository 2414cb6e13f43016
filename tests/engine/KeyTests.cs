using Dapper;

namespace ManagedServers.Engine.Tests;

public sealed class KeyTests
{
    private static Script Keyed(params Spec[] steps) => new(steps) { Key = "server:7", Title = "keyed" };

    [Fact]
    public async Task A_run_whose_key_is_held_waits_says_for_whom_and_goes_on_when_it_is_freed()
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("slow", _ => go.Task));
        var first = await node.Begin(Keyed("slow"));
        await node.Is(first, RunState.Running);
        var second = await node.Begin(Keyed("b"));
        var third = await node.Begin(Keyed("c"));

        foreach (var refused in new[] { second, third })
        {
            var waiting = await node.Until(refused, r => r.Reason is not null);
            Assert.Equal((RunState.Queued, $"Waits for run {first} (keyed), which is running and holds server:7."), (waiting.State, waiting.Reason));
        }

        await LaidAside(node, second, third);
        go.SetResult();
        await node.Ended(second);
        await node.Ended(third);
        Assert.Equal(["slow", "b", "c"], node.Actors.Calls);
    }

    /// <summary>Until a node has refused them; before that, a job under way may bring either of them first.</summary>
    private static async Task LaidAside(TestNode node, params Guid[] ids)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await using var connection = await node.Database.OpenConnectionAsync();
        while (await connection.ExecuteScalarAsync<long>("select count(*) from engine.run where id = any(@ids) and job_id is null", new { ids }) < ids.Length)
        {
            await Task.Delay(20, patience.Token);
        }
    }

    [Fact]
    public async Task A_paused_run_keeps_its_key_until_it_is_cancelled()
    {
        await using var node = await TestNode.Start(new Actors().On("bad", _ => throw new StepRejectedException("no")));
        var first = await node.Begin(Keyed("bad"));
        await node.Is(first, RunState.Paused);
        var second = await node.Begin(Keyed("b"));
        Assert.Contains("which is paused and holds", (await node.Until(second, r => r.Reason is not null)).Reason, StringComparison.Ordinal);

        await node.Runs.Cancel(first, CancelMode.Stop, "ada");

        Assert.Equal(RunState.Succeeded, (await node.Ended(second)).State);
    }

    [Fact]
    public async Task What_a_run_waits_for_is_told_as_it_stands_now()
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("bad", async _ => { await go.Task; throw new StepRejectedException("no"); }));
        var first = await node.Begin(Keyed("bad"));
        await node.Is(first, RunState.Running);
        var second = await node.Begin(Keyed("b"));
        await node.Until(second, r => r.Reason?.Contains("which is running", StringComparison.Ordinal) == true);

        go.SetResult();

        await node.Until(second, r => r.Reason == $"Waits for run {first} (keyed), which is paused and holds server:7.");
        Assert.Contains("which is paused", (await node.Runs.List(new RunFilter { States = [RunState.Queued] })).Single().Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_waiting_run_keeps_its_key()
    {
        var actors = new Actors().On("fails", step => step.Attempt == 1 ? throw new IOException("no") : Task.CompletedTask);
        await using var node = await TestNode.Start(actors, options: o => o.ShortWait = TimeSpan.Zero);
        var first = await node.Begin(Keyed(new Spec("fails") { Tries = 2, WaitMs = 1500 }));
        await node.Is(first, RunState.Waiting);
        var second = await node.Begin(Keyed("b"));

        await node.Ended(second);

        Assert.Equal(["fails", "fails", "b"], node.Actors.Calls);
    }

    [Fact]
    public async Task Cancelling_the_next_in_line_does_not_strand_those_behind_it()
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("slow", _ => go.Task));
        var first = await node.Begin(Keyed("slow"));
        await node.Is(first, RunState.Running);
        var second = await node.Begin(Keyed("b"));
        var third = await node.Begin(Keyed("c"));
        await node.Until(third, r => r.Reason is not null);

        go.SetResult();
        await node.Runs.Cancel(second, CancelMode.Stop, "ada").ContinueWith(_ => { }, TaskScheduler.Default); // it may have been quicker

        Assert.Equal(RunState.Succeeded, (await node.Ended(third)).State);
    }

    [Fact]
    public async Task Runs_of_a_key_begin_in_the_order_in_which_they_came_while_more_of_them_come()
    {
        var order = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var actors = new Actors().On("in", async (_, told) =>
        {
            order.Enqueue(told.Payload);
            await Task.Delay(20);
            return "";
        });
        await using var node = await TestNode.Start(actors, options: o => o.Workers = 8);
        List<Guid> ids = [];
        for (var n = 0; n < 50; n++)
        {
            ids.Add(await node.Begin(new Script([new Spec("in") { Payload = $"{n}" }]) { Key = "host" }));
        }

        Assert.All(await Task.WhenAll(ids.Select(node.Ended)), r => Assert.Equal(RunState.Succeeded, r.State));
        Assert.Equal(Enumerable.Range(0, 50).Select(n => $"{n}"), order);
    }

    [Fact]
    public async Task Under_contention_one_run_of_a_key_is_under_way_at_a_time()
    {
        var inside = 0;
        var most = 0;
        var actors = new Actors().On("in", async _ =>
        {
            most = Math.Max(most, Interlocked.Increment(ref inside));
            await Task.Yield();
            Interlocked.Decrement(ref inside);
        });
        await using var node = await TestNode.Start(actors, options: o => o.Workers = 8);
        var ids = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => node.Begin(Keyed("in"))));

        foreach (var id in ids)
        {
            Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
        }

        Assert.Equal((1, 40), (most, node.Actors.Calls.Count));
    }
}
