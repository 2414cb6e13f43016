using System.Text.Json;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace ManagedServers.Engine.Tests;

/// <summary>Schedules as the tests make them, wait for them and look at them.</summary>
internal static class ScheduleBook
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    internal sealed record Row(string Outcome, DateTime? NominalAt, DateTime? LastNominalAt, int Times, Guid? RunId, string? Reason);

    public static ISchedules Schedules(this TestNode node) => node.Services.GetRequiredService<ISchedules>();

    /// <summary>A schedule of scripted runs.</summary>
    public static ScheduleSettings Scripted(string name, params Spec[] steps) => new()
    {
        Name = name,
        Kind = "scripted",
        Input = JsonSerializer.SerializeToElement(new Script(steps.Length > 0 ? steps : ["tick"]), EngineJson.Options),
    };

    /// <summary>A schedule of runs that a node in a process of its own executes.</summary>
    public static ScheduleSettings Ticking(string name) => new()
    {
        Name = name,
        Kind = "scheduled",
        Input = JsonSerializer.SerializeToElement(new { name }, EngineJson.Options),
    };

    public static async Task<ScheduleDetails> Save(this TestNode node, ScheduleSettings settings) => await node.Schedules().Save(settings, "ada");

    /// <summary>The schedule as soon as it is as it should be; fails with what it is instead.</summary>
    public static async Task<ScheduleDetails> Until(this TestNode node, string name, Func<ScheduleDetails, bool> holds)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var schedule = (await node.Schedules().Get(name))!;
            if (holds(schedule))
            {
                return schedule;
            }

            try
            {
                await Task.Delay(Look, patience.Token);
            }
            catch (OperationCanceledException)
            {
                throw new Xunit.Sdk.XunitException($"After {Patience} the schedule is {JsonSerializer.Serialize(schedule, EngineJson.Options)}");
            }
        }
    }

    /// <summary>The whole history, oldest first.</summary>
    public static async Task<IReadOnlyList<Row>> History(this TestNode node, string name)
    {
        await using var connection = await node.Database.OpenConnectionAsync();
        return await History(connection, name);
    }

    private static async Task<IReadOnlyList<Row>> History(NpgsqlConnection connection, string name) =>
        [.. await connection.QueryAsync<Row>("""
            select f.outcome, f.nominal_at as NominalAt, f.last_nominal_at as LastNominalAt, f.times, f.run_id as RunId, f.reason
            from engine.schedule_firing f join engine.schedule s on s.id = f.schedule_id where s.name = @name order by f.id
            """, new { name })];

    /// <summary>Lets the schedule stand as if its next time had been so long ago and no node had run since.</summary>
    public static async Task PutBack(this TestNode node, string name, TimeSpan time)
    {
        await using var connection = await node.Database.OpenConnectionAsync();
        await connection.ExecuteAsync("""
            update engine.schedule set next_at = date_trunc('second', now()) - @time, due_at = date_trunc('second', now()) - @time where name = @name
            """, new { name, time });
    }

    /// <summary>Each nominal time from the first to the last is there once, with a run of its own, and there is no run beside those.</summary>
    public static async Task EachTimeHasOneRun(this TestNode node, string name, TimeSpan every)
    {
        await using var connection = await node.Database.OpenConnectionAsync();
        // One moment for both: the schedule goes on.
        await using var moment = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        var history = await History(connection, name);
        var runs = await connection.QueryAsync<Guid>("select id from engine.run where requested_by = @who", new { who = $"schedule:{name}" });
        Assert.All(history, f => Assert.Equal("started", f.Outcome));
        Assert.Equal(Enumerable.Range(0, history.Count).Select(n => history[0].NominalAt!.Value + (every * n)), history.Select(f => f.NominalAt!.Value));
        Assert.Equal(history.Select(f => f.RunId!.Value).Order(), runs.Order());
    }
}
