using System.Diagnostics;
using Dapper;
using ManagedServers.Engine.Child;
using Xunit.Abstractions;

namespace ManagedServers.Engine.Tests;

/// <summary>Several nodes in processes of their own: lost, frozen, stopped, of one name, side by side.</summary>
public sealed class TakeoverTests(ITestOutputHelper output)
{
    [Fact]
    [Trait("Category", Chaos.Category)]
    public async Task A_run_of_a_lost_node_goes_on_at_another_after_the_lease()
    {
        await using var desk = await ChildNode.Desk();
        await using var lost = await ChildNode.Start(desk.ConnectionString, "lost", Chaos.Lease);
        var id = await desk.Begin(new Effects([new Effect("long", 60_000), new Effect("next", 1)]));
        await lost.Says($"after {id} 1 1");
        await using var other = await ChildNode.Start(desk.ConnectionString, "other", Chaos.Lease);
        var killed = Stopwatch.GetTimestamp();
        await lost.Kill();

        await other.Says($"before {id} 1 2");
        var taken = Stopwatch.GetElapsedTime(killed);
        output.WriteLine($"on another node after {taken.TotalSeconds:0.0} s with a lease of {(Chaos.Full ? 15 : 4)} s");
        Assert.True(taken < TimeSpan.FromSeconds(20), $"on another node after {taken}");
        Assert.Contains((await desk.Runs.Get(id))!.Events, e => e is { What: "recovered", Why: "From node lost, by node other." });
    }

    [Fact]
    [Trait("Category", Chaos.Category)]
    public async Task A_node_frozen_past_its_lease_writes_nothing_when_it_wakes_and_cancels_its_step()
    {
        await using var desk = await ChildNode.Desk();
        await using var zombie = await ChildNode.Start(desk.ConnectionString, "zombie", Chaos.Lease);
        var id = await desk.Begin(new Effects([new Effect("talk", 1) { Talks = true }]));
        await zombie.Says($"after {id} 1 1");
        await desk.Until(id, r => r.Steps[0].Progress is not null);

        zombie.Freeze();
        await using var other = await ChildNode.Start(desk.ConnectionString, "other", Chaos.Lease);
        await other.Says($"after {id} 1 2");
        await desk.Until(id, r => r.Steps[0].ProgressNote?.StartsWith(other.Pid.ToString(), StringComparison.Ordinal) == true);
        var takenAt = (await desk.Runs.Log(id)).First(l => l.Message.StartsWith(other.Pid.ToString(), StringComparison.Ordinal)).Seq;
        zombie.Thaw();
        await zombie.Says($"cancelled {id} 1 1");
        var heard = (await desk.Runs.Log(id)).Count;
        await desk.Until(id, _ => desk.Runs.Log(id).Result.Count > heard + 20);

        var after = (await desk.Runs.Log(id)).Where(l => l.Seq >= takenAt).ToList();
        Assert.All(after, l => Assert.StartsWith(other.Pid.ToString(), l.Message, StringComparison.Ordinal));
        var attempts = await JournalCheck.Attempts(desk.Database, id);
        Assert.Equal([("interrupted", "zombie"), ("running", "other")], attempts.Select(a => (a.State, a.Node)));
        await desk.Runs.Cancel(id, CancelMode.Stop, "ada");
        await other.Says($"cancelled {id} 1 2");
        await desk.Ended(id);
    }

    [Fact]
    public async Task A_node_frozen_while_it_starts_children_lets_another_start_the_rest_once_and_never_more_at_once_than_the_wave_allows()
    {
        await using var desk = await ChildNode.Desk();
        await using var zombie = await ChildNode.Start(desk.ConnectionString, "zombie", Chaos.Lease);
        var id = (await desk.Runs.Start<WaveWorkflow, Wave>(new Wave(40, 3, 150), new StartRun { RequestedBy = "ada" })).Id;
        await desk.Until(id, _ => Children().Result.Count(c => c.State == RunState.Succeeded) >= 5);

        zombie.Freeze();
        await using var other = await ChildNode.Start(desk.ConnectionString, "other", Chaos.Lease);
        await other.Says("before ");
        zombie.Thaw();
        var run = await desk.Ended(id);
        var children = await Children();

        Assert.True(run.State == RunState.Succeeded, run.Reason);
        Assert.Equal(Enumerable.Range(1, 40).Select(n => $"child {n}").Order(), children.Select(c => c.Subject).Order());
        foreach (var child in children)
        {
            await JournalCheck.Holds(desk.Database, child.Id, 1);
        }

        await using var connection = await desk.Database.OpenConnectionAsync();
        var most = await connection.ExecuteScalarAsync<int>("""
            select max((select count(distinct b.run_id) from engine.step b join engine.run c on c.id = b.run_id
                        where c.parent = @id and b.started_at <= a.started_at and b.finished_at > a.started_at))::int
            from engine.step a join engine.run r on r.id = a.run_id where r.parent = @id
            """, new { id });
        Assert.InRange(most, 1, 3);

        Task<IReadOnlyList<RunSummary>> Children() => desk.Runs.List(new RunFilter { Parent = id });
    }

    [Fact]
    public async Task A_node_that_is_asked_to_stop_gives_its_runs_back_without_charging_an_attempt()
    {
        await using var desk = await ChildNode.Desk();
        var id = await desk.Begin(ChildNode.Effects(6, 400));
        await using (var first = await ChildNode.Start(desk.ConnectionString, "one"))
        {
            await first.Says($"after {id} 1 1");
            await first.Stop();
            await first.Says("stopped");
        }

        var between = (await desk.Runs.Get(id))!;
        Assert.Equal((RunState.Queued, "Node one was stopped; the run goes on at its next step."), (between.State, between.Reason));
        await using var second = await ChildNode.Start(desk.ConnectionString, "two");
        var run = await desk.Ended(id);

        Assert.Equal((RunState.Succeeded, 0), (run.State, run.Recoveries));
        Assert.All(run.Steps, s => Assert.Equal(1, s.Attempts));
        await JournalCheck.Holds(desk.Database, id, 6);
    }

    [Fact]
    public async Task A_second_process_of_the_same_name_refuses_to_start()
    {
        await using var desk = await ChildNode.Desk();
        await using var first = await ChildNode.Start(desk.ConnectionString, "one");
        await using var second = ChildNode.Launch(desk.ConnectionString, "one");

        Assert.NotEqual(0, await second.Exited());
        Assert.Contains("Another process runs as node 'one' on this database.", second.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Category", Chaos.Category)]
    [InlineData(2)]
    [InlineData(4)]
    public async Task Nodes_share_the_runs_execute_nothing_twice_and_never_two_of_one_key_at_once(int nodes)
    {
        await using var desk = await ChildNode.Desk();
        var children = await Task.WhenAll(Enumerable.Range(1, nodes).Select(n => ChildNode.Start(desk.ConnectionString, $"node{n}")));
        try
        {
            var runs = Chaos.Of(60, 1000);
            var ids = await Task.WhenAll(Enumerable.Range(0, runs).Select(n => desk.Begin(new Effects([new Effect("a", 5), new Effect("b", 5)]) { Key = $"key:{n % 12}" })));
            await desk.NoneLeft(TimeSpan.FromMinutes(Chaos.Of(1, 10)));
            foreach (var id in ids)
            {
                Assert.Equal(RunState.Succeeded, (await desk.Runs.Get(id))!.State);
                await JournalCheck.Holds(desk.Database, id, 2);
            }
        }
        finally
        {
            await Task.WhenAll(children.Select(c => c.DisposeAsync().AsTask()));
        }

        await using var connection = await desk.Database.OpenConnectionAsync();
        Assert.Equal(nodes, await connection.ExecuteScalarAsync<int>("select count(distinct node) from engine.step"));
        // A second execution of an attempt violates the key of the effects' table, and that attempt fails.
        Assert.Equal(0, await connection.ExecuteScalarAsync<int>("select count(*) from engine.step where attempt > 1 or state <> 'succeeded'"));
        Assert.Equal(0, await connection.ExecuteScalarAsync<int>("""
            with span as (
                select r.id, r.exclusive_key, min(s.started_at) as began, r.finished_at as ended from engine.run r join engine.step s on s.run_id = r.id group by r.id)
            select count(*) from span a join span b on a.exclusive_key = b.exclusive_key and a.id < b.id where a.began < b.ended and b.began < a.ended
            """));
    }
}
