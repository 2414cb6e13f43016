using Dapper;
using Hangfire;
using Hangfire.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Engine.Tests;

/// <summary>What wakes a node for a schedule, and what happens when it does so twice or not at all.</summary>
public sealed class ScheduleWakeTests
{
    private static readonly TimeSpan Never = TimeSpan.FromHours(1);

    public static TheoryData<string> Kinds => ["cron", "cron with jitter", "interval"];

    private static ScheduleSettings Of(string kind) => ScheduleBook.Scripted("tick") with
    {
        Cron = kind == "interval" ? null : "*/2 * * * * *",
        Every = kind == "interval" ? TimeSpan.FromSeconds(2) : null,
        Jitter = kind == "cron with jitter" ? TimeSpan.FromSeconds(1.5) : default,
        Misfire = MisfirePolicy.FireAll,
        Overlap = OverlapPolicy.Queue,
    };

    [Theory, MemberData(nameof(Kinds))]
    public async Task Hangfire_alone_wakes_a_node_for_each_time(string kind)
    {
        await using var node = await TestNode.Start(options: o => o.SweepInterval = Never);
        await node.Save(Of(kind));

        await node.Until("tick", s => s.Results.Count >= 3);

        await node.EachTimeHasOneRun("tick", TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task What_Hangfire_has_lost_is_fired_by_the_sweep()
    {
        await using var node = await TestNode.Start();
        await node.Save(Of("interval"));
        await using (var connection = await node.Database.OpenConnectionAsync())
        {
            // Every delayed job is lost as it is made.
            await connection.ExecuteAsync("""
                create function lose() returns trigger language plpgsql as 'begin return null; end';
                create trigger lose before insert on hangfire.set for each row execute function lose();
                delete from hangfire.set;
                """);
        }

        await node.Until("tick", s => s.Results.Count >= 4);

        await node.EachTimeHasOneRun("tick", TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task A_time_for_which_many_are_woken_at_once_has_one_run()
    {
        await using var desk = await TestNode.Start(options: o => (o.Workers, o.NodeName) = (0, "desk"));
        await desk.Save(ScheduleBook.Scripted("daily") with { Every = TimeSpan.FromHours(24) });
        await desk.PutBack("daily", TimeSpan.FromSeconds(1));
        var firer = desk.Services.GetRequiredService<ScheduleFirer>();

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => firer.Fire("daily", null, woken: true))));

        Assert.Equal("started", Assert.Single(await desk.History("daily")).Outcome);
        Assert.Single(await desk.Runs.List(new RunFilter()));
    }

    [Fact]
    public async Task A_job_for_a_time_that_has_been_fired_does_nothing()
    {
        await using var desk = await TestNode.Start(options: o => (o.Workers, o.NodeName) = (0, "desk"));
        var saved = await desk.Save(ScheduleBook.Scripted("daily") with { Every = TimeSpan.FromHours(24) });
        await desk.PutBack("daily", TimeSpan.FromSeconds(1));

        await desk.Services.GetRequiredService<ScheduleJob>().Wake("daily", saved.Next[0].AddDays(-7));

        Assert.Empty(await desk.History("daily"));
    }

    [Fact]
    public async Task Hangfires_recurring_jobs_follow_the_schedules_and_are_put_right_when_somebody_changes_them()
    {
        await using var desk = await TestNode.Start(options: o => (o.Workers, o.NodeName) = (0, "desk"));
        var alarm = desk.Services.GetRequiredService<ScheduleAlarm>();
        var daily = ScheduleBook.Scripted("daily") with { Cron = "0 3 * * *", TimeZone = "Europe/Prague" };
        await desk.Save(daily);
        await Recurring(desk, j => j is [{ Id: "daily", Cron: "0 3 * * *", TimeZoneId: "Europe/Prague" }]);
        await desk.Save(daily with { Cron = "0 4 * * *" });
        await Recurring(desk, j => j is [{ Cron: "0 4 * * *" }]);
        await desk.Schedules().Pause("daily", "ada", "why");
        await Recurring(desk, j => j is []);
        await desk.Schedules().Resume("daily", "ada");
        await Recurring(desk, j => j is [{ Cron: "0 4 * * *" }]);

        var manager = new RecurringJobManager(desk.Services.GetRequiredService<HangfireStorage>().Storage);
        manager.RemoveIfExists("daily");
        await alarm.Reconcile();
        await Recurring(desk, j => j is [{ Cron: "0 4 * * *" }]);
        manager.AddOrUpdate<ScheduleJob>("left-over", j => j.Wake("left-over", null), "0 5 * * *");
        await alarm.Reconcile();
        await Recurring(desk, j => j is [{ Id: "daily" }]);

        await desk.Schedules().Remove("daily", "ada");
        await Recurring(desk, j => j is []);
    }

    [Fact]
    public async Task The_history_keeps_the_latest_two_hundred_entries_and_those_whose_run_has_not_ended()
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("slow", _ => go.Task));
        await node.Save(ScheduleBook.Scripted("daily", "slow") with { Cron = "0 3 * * *", Overlap = OverlapPolicy.Queue });
        var unended = await node.Schedules().RunNow("daily", "ada");
        await using (var connection = await node.Database.OpenConnectionAsync())
        {
            await connection.ExecuteAsync("""
                insert into engine.schedule_firing (schedule_id, outcome, who) select id, 'missed', 'engine' from engine.schedule, generate_series(1, 300)
                """);
        }

        await node.Schedules().RunNow("daily", "ada");

        var history = await node.History("daily");
        Assert.Equal((201, unended.Id), (history.Count, history[0].RunId!.Value));
        Assert.Equal(20, (await node.Schedules().Get("daily"))!.Results.Count);
        go.SetResult();
    }

    private static async Task Recurring(TestNode node, Func<List<RecurringJobDto>, bool> holds)
    {
        var storage = node.Services.GetRequiredService<HangfireStorage>().Storage;
        List<RecurringJobDto> jobs = [];
        for (var look = 0; look < 100; look++)
        {
            using var connection = storage.GetConnection();
            if (holds(jobs = connection.GetRecurringJobs()))
            {
                return;
            }

            await Task.Delay(100);
        }

        Assert.Fail($"Hangfire has {string.Join(", ", jobs.Select(j => $"{j.Id} {j.Cron} {j.TimeZoneId} {j.Error}"))}");
    }
}
