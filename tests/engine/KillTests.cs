using System.Diagnostics;
using Xunit.Abstractions;

namespace ManagedServers.Engine.Tests;

/// <summary>Nodes in processes of their own, really killed and really frozen.</summary>
public sealed class KillTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_node_killed_at_each_boundary_of_a_run_loses_nothing_doubles_nothing_and_goes_on_within_two_seconds()
    {
        await using var desk = await ChildNode.Desk();
        var id = await desk.Begin(ChildNode.Effects(4, 600));
        var resumed = new List<TimeSpan>();
        var kills = 0;
        var node = ChildNode.Launch(desk.ConnectionString, "one");
        try
        {
            for (var seq = 1; seq <= 4; seq++)
            {
                // Before its effect is journalled elsewhere, after it, and just when the step ends and the journal is written.
                foreach (var moment in new[] { "before", "after", "done" })
                {
                    await node.Says($"{moment} {id} {seq} ");
                    await node.Kill();
                    kills++;
                    await node.DisposeAsync();
                    node = await ChildNode.Start(desk.ConnectionString, "one");
                    var ready = Stopwatch.GetTimestamp();
                    var run = await desk.Until(id, r => r.State == RunState.Succeeded || (r.State == RunState.Running && r.Recoveries >= kills));
                    resumed.Add(Stopwatch.GetElapsedTime(ready));
                    if (run.Steps[seq - 1].State == StepState.Succeeded)
                    {
                        break;
                    }
                }
            }

            var ended = await desk.Ended(id);
            Assert.Equal(RunState.Succeeded, ended.State);
            Assert.InRange(ended.Recoveries, kills - 1, kills); // the last kill may come when everything is done
        }
        finally
        {
            await node.DisposeAsync();
        }

        await JournalCheck.Holds(desk.Database, id, 4);
        var interrupted = (await JournalCheck.Attempts(desk.Database, id)).Where(a => a.State == "interrupted").ToList();
        Assert.All(interrupted, a => Assert.Equal("Node one ended, or was cut off from the database, while the step was at work.", a.Error));
        Assert.InRange(interrupted.Count, kills - 1, kills);
        output.WriteLine($"{kills} kills, resumed after ready: median {resumed.Order().ElementAt(resumed.Count / 2).TotalMilliseconds:0} ms, longest {resumed.Max().TotalMilliseconds:0} ms");
        Assert.True(resumed.Max() < TimeSpan.FromSeconds(2), $"resumed after {string.Join(", ", resumed)}");
    }
}
