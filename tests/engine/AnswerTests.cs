using System.Diagnostics;
using Dapper;

namespace ManagedServers.Engine.Tests;

/// <summary>Operators get their answer, whatever has just happened to the database's sessions and to other nodes.</summary>
public sealed class AnswerTests
{
    private static Task<TestNode> Desk() => TestNode.Start(options: o => o.Workers = 0);

    [Fact]
    public async Task An_action_does_not_wait_for_a_lock_that_a_killed_node_has_left_on_a_job()
    {
        await using var node = await Desk();
        var id = await node.Begin("a");
        await using var connection = await node.Database.OpenConnectionAsync();
        var job = await connection.ExecuteScalarAsync<string>("select job_id from engine.run where id = @id", new { id });
        var resource = $"hangfire:job:{job}:state-lock";
        await connection.ExecuteAsync("insert into hangfire.lock (resource, updatecount, acquired) values (@resource, 1, now())", new { resource });

        var asked = Stopwatch.GetTimestamp();
        await node.Runs.SetPriority(id, RunPriority.High, "ada");
        var answered = Stopwatch.GetElapsedTime(asked);
        await connection.ExecuteAsync("delete from hangfire.lock where resource = @resource", new { resource });

        Assert.True(answered < TimeSpan.FromSeconds(20), $"it took {answered}");
        var patience = Stopwatch.StartNew();
        while (await connection.ExecuteScalarAsync<string>("select statename from hangfire.job where id = @id", new { id = long.Parse(job!) }) != "Deleted")
        {
            Assert.True(patience.Elapsed < TimeSpan.FromSeconds(30), "the former job is deleted as soon as it can be");
            await Task.Delay(50);
        }
    }
}
