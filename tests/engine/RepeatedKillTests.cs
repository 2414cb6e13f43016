using System.Diagnostics;
using Dapper;
using ManagedServers.Engine.Child;
using Xunit.Abstractions;

namespace ManagedServers.Engine.Tests;

/// <summary>What a node leaves when it is killed, time and again.</summary>
public sealed class RepeatedKillTests(ITestOutputHelper output)
{
    [Fact]
    [Trait("Category", Chaos.Category)]
    public async Task Nodes_killed_at_random_moments_of_many_runs_lose_and_double_nothing_and_go_on_within_two_seconds()
    {
        await using var desk = await ChildNode.Desk();
        var random = new Random(7);
        var ids = new List<Guid>();
        var resumed = new List<TimeSpan>();
        for (var kill = 0; kill < Chaos.Of(20, 200); kill++)
        {
            for (var n = 0; n < 3; n++)
            {
                ids.Add(await desk.Begin(ChildNode.Effects(6, 60)));
            }

            await using var node = await ChildNode.Start(desk.ConnectionString, "one");
            var ready = Stopwatch.GetTimestamp();
            await node.Says("before "); // some step is at work again
            resumed.Add(Stopwatch.GetElapsedTime(ready));
            await Task.Delay(random.Next(20, 400)); // a random moment is the point here
            await node.Kill();
        }

        await using var last = await ChildNode.Start(desk.ConnectionString, "one");
        await desk.NoneLeft(TimeSpan.FromMinutes(Chaos.Of(1, 3)));

        // With so many kills chance may pick one step of one run five times in a row; that is for an operator to look at.
        var paused = await desk.Runs.List(new RunFilter { States = [RunState.Paused], Limit = 100 });
        foreach (var run in paused)
        {
            Assert.StartsWith("Its node ended 5 times in a row", run.Reason, StringComparison.Ordinal);
            await desk.Runs.Retry(run.Id, "ada");
        }

        await desk.NoneLeft(TimeSpan.FromMinutes(1));
        foreach (var id in ids)
        {
            Assert.Equal(RunState.Succeeded, (await desk.Runs.Get(id))!.State);
            await JournalCheck.Holds(desk.Database, id, 6);
        }

        await using var connection = await desk.Database.OpenConnectionAsync();
        var (recoveries, interrupted) = await connection.QuerySingleAsync<(int, int)>("""
            select (select sum(recoveries)::int from engine.run), (select count(*)::int from engine.step where state = 'interrupted' and error = 'Node one ended, or was cut off from the database, while the step was at work.')
            """);
        output.WriteLine($"{resumed.Count} kills, {ids.Count} runs, {recoveries} recoveries, {interrupted} attempts interrupted, {paused.Count} runs paused; at work after ready: "
            + $"median {resumed.Order().ElementAt(resumed.Count / 2).TotalMilliseconds:0} ms, longest {resumed.Max().TotalMilliseconds:0} ms");
        Assert.InRange(interrupted, 1, recoveries);
        // The short form shares the machine with other tests, which may delay one of them.
        var slowest = Chaos.Full ? resumed.Max() : resumed.Order().ElementAt(resumed.Count / 2);
        Assert.True(slowest < TimeSpan.FromSeconds(2), $"at work after {string.Join(", ", resumed.Order().TakeLast(5))}");
    }

    [Fact]
    public async Task A_command_that_must_not_be_run_twice_pauses_after_a_kill_and_runs_again_only_when_told_to()
    {
        await using var desk = await ChildNode.Desk();
        var id = await desk.Begin(new Effects([new Effect("command", 60_000) { PauseWhenInterrupted = true }, new Effect("next", 1)]));
        await using (var killed = await ChildNode.Start(desk.ConnectionString, "one"))
        {
            await killed.Says($"after {id} 1 1");
            await killed.Kill();
        }

        await using var node = await ChildNode.Start(desk.ConnectionString, "one");
        var run = await desk.Is(id, RunState.Paused);
        Assert.StartsWith("Step 1, 'command', was interrupted: its node ended, or was cut off from the database, while it was at work, and nobody knows how far it came.", run.Reason, StringComparison.Ordinal);
        Assert.Equal((StepState.Interrupted, 1), (run.Steps[0].State, run.Steps[0].Attempts));

        await desk.Runs.Retry(id, "ada", "looked at it");
        await node.Says($"after {id} 1 2");
        Assert.True((await JournalCheck.Effects(desk.Database, id))[1].WasInterrupted);
    }

    [Fact]
    public async Task A_run_that_ends_its_node_again_and_again_is_paused()
    {
        await using var desk = await ChildNode.Desk();
        var id = await desk.Begin(ChildNode.Effects(6, 60_000));
        for (var kill = 1; kill <= 5; kill++)
        {
            await using var node = await ChildNode.Start(desk.ConnectionString, "one");
            await node.Says($"before {id} 1 {kill}");
            await node.Kill();
        }

        await using var last = await ChildNode.Start(desk.ConnectionString, "one");
        var run = await desk.Is(id, RunState.Paused);

        Assert.StartsWith("Its node ended 5 times in a row while this run was under way", run.Reason, StringComparison.Ordinal);
        Assert.Equal((5, 5), (run.Recoveries, run.Steps[0].Attempts));
    }
}
