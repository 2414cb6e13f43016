using Dapper;
using Npgsql;

namespace ManagedServers.Engine.Tests;

/// <summary>Nodes in processes of their own, killed around the moment at which a schedule fires.</summary>
public sealed class ScheduleKillTests
{
    private static readonly ScheduleSettings EverySecond = ScheduleBook.Ticking("tick") with
    {
        Cron = "* * * * * *", Misfire = MisfirePolicy.FireAll, Overlap = OverlapPolicy.Queue,
    };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whatever_kills_the_node_each_time_of_a_schedule_that_fires_all_has_one_run(bool cron)
    {
        await using var desk = await ChildNode.Desk();
        var random = new Random(11);
        await desk.Save(cron ? EverySecond : EverySecond with { Cron = null, Every = TimeSpan.FromSeconds(1) });
        for (var kill = 0; kill < 4; kill++)
        {
            await using var node = await ChildNode.Start(desk.ConnectionString, "one");
            // Just before the run is inserted, and some random while later: between its commit, its job and the next alarm.
            await node.Says("starts tick");
            await Task.Delay(random.Next(0, 1500));
            await node.Kill();
        }

        await using var last = await ChildNode.Start(desk.ConnectionString, "one");
        var restarted = TimeProvider.System.GetUtcNow();
        var schedule = await desk.Until("tick", s => s.Results.Any(r => r.NominalAt > restarted.AddSeconds(3) && r.Run?.State == RunState.Succeeded));

        await desk.EachTimeHasOneRun("tick", TimeSpan.FromSeconds(1));
        foreach (var result in schedule.Results)
        {
            await desk.Ended(result.RunId!.Value);
        }
    }

    [Fact]
    public async Task A_node_killed_before_the_commit_of_a_firing_has_started_nothing_and_the_next_one_starts_it()
    {
        await using var desk = await ChildNode.Desk();
        await desk.Save(EverySecond with { Cron = null, Every = TimeSpan.FromSeconds(1) });
        await using (var node = await ChildNode.Start(desk.ConnectionString, "one"))
        {
            await node.Says("ticks");
            await StopAt(desk, "engine.schedule_firing", "new.outcome = 'started'");
            await Reached(desk);
            await node.Kill();
            await LetGo(desk);
        }

        await AfterThat(desk);
    }

    [Fact]
    public async Task A_node_killed_after_the_commit_of_a_firing_and_before_Hangfire_was_told_loses_neither_the_run_nor_the_times_after_it()
    {
        await using var desk = await ChildNode.Desk();
        await desk.Save(EverySecond with { Cron = null, Every = TimeSpan.FromSeconds(1) });
        await using (var node = await ChildNode.Start(desk.ConnectionString, "one"))
        {
            await node.Says("ticks");
            await StopAt(desk, "hangfire.job", "new.invocationdata::text like '%RunJob%'");
            await Reached(desk, "and exists (select from engine.run where state = 'queued' and job_id is null and created_at < now() - interval '300 ms')");
            await node.Kill();
            await LetGo(desk);
        }

        // Further times may have come while the first stood still.
        var committed = await desk.Runs.List(new RunFilter { States = [RunState.Queued] });
        Assert.NotEmpty(committed);
        await AfterThat(desk, committed);
    }

    [Fact]
    public async Task A_schedule_that_fires_once_has_one_run_for_the_time_that_its_nodes_were_away()
    {
        await using var desk = await ChildNode.Desk();
        await desk.Save(ScheduleBook.Ticking("tick") with { Every = TimeSpan.FromMinutes(10) });
        await desk.PutBack("tick", TimeSpan.FromMinutes(35));
        await using (var node = await ChildNode.Start(desk.ConnectionString, "one"))
        {
            await node.Says("starts tick");
            await node.Kill();
        }

        await using var last = await ChildNode.Start(desk.ConnectionString, "one");
        await desk.Until("tick", s => s.Results is [{ Run.State: RunState.Succeeded }, ..]);

        Assert.Equal([("missed", 3), ("started", 1)], (await desk.History("tick")).Select(f => (f.Outcome, f.Times)));
        Assert.Single(await desk.Runs.List(new RunFilter()));
    }

    /// <summary>While the next node lives: nothing else here executes runs.</summary>
    private static async Task AfterThat(TestNode desk, params IReadOnlyList<RunSummary> committed)
    {
        await using var next = await ChildNode.Start(desk.ConnectionString, "two");
        var started = TimeProvider.System.GetUtcNow();
        await desk.Until("tick", s => s.Results.Any(r => r.NominalAt > started.AddSeconds(2)));
        await desk.EachTimeHasOneRun("tick", TimeSpan.FromSeconds(1));
        foreach (var run in committed)
        {
            Assert.Equal(RunState.Succeeded, (await desk.Ended(run.Id)).State);
        }
    }

    /// <summary>From now on an insert into that table stands still.</summary>
    private static async Task StopAt(TestNode desk, string table, string when)
    {
        await using var connection = await desk.Database.OpenConnectionAsync();
        await connection.ExecuteAsync($"""
            create function stand_still() returns trigger language plpgsql as 'begin perform pg_sleep(600); return new; end';
            create trigger stand_still before insert on {table} for each row when ({when}) execute function stand_still();
            """);
    }

    private static async Task Reached(TestNode desk, string and = "")
    {
        await using var connection = await desk.Database.OpenConnectionAsync();
        for (var look = 0; look < 300; look++)
        {
            if (await connection.ExecuteScalarAsync<bool>(
                $"select exists (select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep') {and}"))
            {
                return;
            }

            await Task.Delay(100);
        }

        Assert.Fail("nothing was inserted there");
    }

    /// <summary>Ends the sessions of the killed node, which PostgreSQL would notice only when they answer; one that waited for another stands still after that one only.</summary>
    private static async Task LetGo(TestNode desk)
    {
        await using var connection = await desk.Database.OpenConnectionAsync();
        await connection.ExecuteAsync("set lock_timeout = '1s'");
        for (var look = 0; ; look++)
        {
            await connection.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'");
            try
            {
                await connection.ExecuteAsync("drop function stand_still() cascade");
                return;
            }
            catch (PostgresException held) when (held.SqlState == PostgresErrorCodes.LockNotAvailable && look < 60)
            {
                // Another one has begun to stand still.
            }
        }
    }
}
