using System.Diagnostics;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

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

    [Fact]
    public async Task After_a_restart_of_PostgreSQL_the_first_call_of_each_kind_is_answered()
    {
        await using var node = await Desk();
        var id = await node.Begin("a");
        var control = node.Services.GetRequiredService<IEngineControl>();
        await node.Save(ScheduleBook.Scripted("nightly") with { Cron = "0 3 * * *" });
        var calls = new Dictionary<string, Func<Task>>
        {
            ["get"] = async () => Assert.Equal(RunState.Queued, (await node.Runs.Get(id))!.State),
            ["get many"] = async () => Assert.Single(await node.Runs.Get([id])),
            ["list"] = async () => Assert.Single(await node.Runs.List(new RunFilter())),
            ["log"] = async () => Assert.Empty(await node.Runs.Log(id)),
            ["priority"] = () => node.Runs.SetPriority(id, RunPriority.High, "ada"),
            ["cancel"] = () => node.Runs.Cancel(id, CancelMode.Stop, "ada"),
            ["retry"] = () => node.Runs.Retry(id, "ada"),
            ["kinds"] = async () => Assert.NotEmpty(await control.Kinds()),
            ["pause of a kind"] = () => control.PauseKind("scripted", "ada"),
            ["nodes"] = () => control.Nodes(),
            ["statistics"] = () => control.Statistics(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(1)),
            ["audit"] = async () => Assert.Single(await control.Audit()),
            ["schedules"] = async () => Assert.Single(await node.Schedules().List()),
            ["a schedule"] = async () => Assert.NotNull(await node.Schedules().Get("nightly")),
            ["a schedule's run"] = () => node.Schedules().RunNow("nightly", "ada"),
            ["a schedule's pause"] = () => node.Schedules().Pause("nightly", "ada", "holidays"),
        };

        foreach (var (name, call) in calls)
        {
            await EndSessions(node);
            var fault = await Record.ExceptionAsync(call);
            Assert.True(fault is null, $"{name}: {fault}");
        }
    }

    /// <summary>As a restart does: every session of the pool ends without its process learning of it.</summary>
    private static async Task EndSessions(TestNode node)
    {
        var pooled = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => node.Database.OpenConnectionAsync().AsTask()));
        foreach (var connection in pooled)
        {
            await connection.DisposeAsync();
        }

        await using var other = new NpgsqlConnection(node.ConnectionString + ";Pooling=false");
        await other.ExecuteAsync("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
    }
}
