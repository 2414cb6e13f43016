using System.Text.Json;

namespace ManagedServers.Engine.Tests;

public sealed class ScheduleActionTests
{
    private static ScheduleSettings Daily => ScheduleBook.Scripted("daily") with { Cron = "0 3 * * *", TimeZone = "Europe/Prague" };

    private static Task<TestNode> Desk() => TestNode.Start(options: o => (o.Workers, o.NodeName) = (0, "desk"));

    [Fact]
    public async Task A_paused_schedule_starts_nothing_and_goes_on_by_itself_at_the_end_of_the_pause()
    {
        await using var node = await TestNode.Start();
        await node.Save(ScheduleBook.Scripted("beat") with { Cron = "* * * * * *", Misfire = MisfirePolicy.FireAll, Overlap = OverlapPolicy.Queue });
        await node.Until("beat", s => s.Results.Count > 0);
        var until = TimeProvider.System.GetUtcNow().AddSeconds(6);

        await node.Schedules().Pause("beat", "ada", "the provider moves", until);
        var paused = (await node.Schedules().Get("beat"))!;
        Assert.Equal(("ada", "the provider moves"), (paused.Pause!.By, paused.Pause.Reason));
        Assert.InRange(paused.Next[0], until, until.AddSeconds(1));

        var resumed = await node.Until("beat", s => s.Pause is null && s.Results[0].Outcome == FiringOutcome.Started);
        var history = await node.History("beat");
        var skipped = Assert.Single(history, f => f.Outcome == "skipped");
        Assert.Equal("Paused by ada: the provider moves.", skipped.Reason);
        // Nothing between the pause and its end, and everything from there on.
        var before = history.Last(f => f.Outcome == "started" && f.NominalAt < skipped.NominalAt);
        Assert.True(before.NominalAt <= paused.Pause.Since.UtcDateTime);
        Assert.Equal(before.NominalAt!.Value.AddSeconds(1), skipped.NominalAt);
        Assert.Equal((skipped.LastNominalAt!.Value - skipped.NominalAt!.Value).TotalSeconds + 1, skipped.Times);
        var after = history.First(f => f.Outcome == "started" && f.NominalAt > skipped.NominalAt);
        Assert.Equal((paused.Next[0].UtcDateTime, skipped.LastNominalAt!.Value.AddSeconds(1)), (after.NominalAt!.Value, after.NominalAt!.Value));
        Assert.Equal(["resumed", "paused", "created"], resumed.Events.Select(e => e.What));
        Assert.Equal("engine", resumed.Events[0].Who);
    }

    [Fact]
    public async Task A_pause_without_an_end_lasts_until_somebody_resumes_it()
    {
        await using var desk = await Desk();
        await desk.Save(Daily);
        await desk.Schedules().Pause("daily", "ada", "no disk space");
        await desk.PutBack("daily", TimeSpan.FromMinutes(1));
        Assert.Empty((await desk.Schedules().Get("daily"))!.Next);

        await using var node = await TestNode.Start(database: desk.ConnectionString);
        await node.Schedules().Resume("daily", "bob", "new disk");

        var schedule = (await desk.Schedules().Get("daily"))!;
        Assert.Null(schedule.Pause);
        Assert.Equal((FiringOutcome.Skipped, "Paused by ada: no disk space."), (schedule.Results[0].Outcome, schedule.Results[0].Reason));
        Assert.Equal(5, schedule.Next.Count);
        Assert.Equal(("bob", "resumed", "new disk"), (schedule.Events[0].Who, schedule.Events[0].What, schedule.Events[0].Why));
        Assert.Empty(await desk.Runs.List(new RunFilter()));
        await Assert.ThrowsAsync<ScheduleActionException>(() => node.Schedules().Resume("daily", "bob"));
    }

    [Fact]
    public async Task Run_now_starts_one_run_in_the_name_of_who_asked_paused_or_not_and_moves_nothing()
    {
        await using var node = await TestNode.Start();
        var saved = await node.Save(Daily with { Subject = "server:7", Priority = RunPriority.High });
        await node.Schedules().Pause("daily", "ada", "holidays");

        var started = await node.Schedules().RunNow("daily", "bob", "to see whether it works", dedupeKey: "k");
        var again = await node.Schedules().RunNow("daily", "bob", dedupeKey: "k");
        var run = await node.Ended(started.Id);

        Assert.Equal((started.Id, true), (again.Id, again.Existing));
        Assert.Equal(("bob", "server:7", RunPriority.High, RunState.Succeeded), (run.RequestedBy, run.Subject, run.Priority, run.State));
        var schedule = (await node.Schedules().Get("daily"))!;
        var result = Assert.Single(schedule.Results);
        Assert.Equal((started.Id, null, "bob", RunState.Succeeded), (result.RunId!.Value, result.NominalAt, result.Who, result.Run!.State));
        Assert.Equal(("bob", "started", $"to see whether it works Run {started.Id}."), (schedule.Events[0].Who, schedule.Events[0].What, schedule.Events[0].Why));
        await node.Schedules().Resume("daily", "ada");
        Assert.Equal(saved.Next, (await node.Schedules().Get("daily"))!.Next);
    }

    [Fact]
    public async Task Run_now_beside_a_run_that_has_not_ended_is_refused_and_names_it()
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("slow", _ => go.Task));
        await node.Save(ScheduleBook.Scripted("daily", "slow") with { Cron = "0 3 * * *" });
        var first = await node.Schedules().RunNow("daily", "ada");
        await node.Is(first.Id, RunState.Running);

        var refused = await Assert.ThrowsAsync<ScheduleActionException>(() => node.Schedules().RunNow("daily", "bob"));

        Assert.StartsWith($"Run {first.Id} of this schedule has not ended: it is running.", refused.Message, StringComparison.Ordinal);
        Assert.Single(await node.Runs.List(new RunFilter()));
        go.SetResult();
    }

    [Fact]
    public async Task A_changed_cron_or_zone_counts_from_now_and_every_other_change_leaves_the_times()
    {
        await using var desk = await Desk();
        var first = await desk.Save(Daily);
        var renamed = await desk.Save(Daily with { Title = "Every night", Misfire = MisfirePolicy.Skip });
        Assert.Equal((first.Id, first.Next[0]), (renamed.Id, renamed.Next[0]));
        Assert.Equal("Title: none → Every night. Misfire: FireOnce → Skip.", renamed.Events[0].Why);

        var moved = await desk.Save(Daily with { Cron = "0 5 * * *", Title = "Every night", Misfire = MisfirePolicy.Skip });
        Assert.All(moved.Next, t => Assert.Equal((5, 0), (t.Hour, t.Minute)));
        var unchanged = await desk.Save(Daily with { Cron = "0 5 * * *", Title = "Every night", Misfire = MisfirePolicy.Skip });
        Assert.Equal(["changed", "changed", "created"], unchanged.Events.Select(e => e.What));
    }

    [Fact]
    public async Task A_removed_schedule_is_gone_with_its_history_and_leaves_its_runs_and_its_audit()
    {
        await using var node = await TestNode.Start();
        await node.Save(Daily);
        var run = await node.Schedules().RunNow("daily", "ada");
        await node.Schedules().Remove("daily", "bob", "not needed");

        Assert.Null(await node.Schedules().Get("daily"));
        Assert.Empty(await node.Schedules().List());
        Assert.NotNull(await node.Runs.Get(run.Id));
        await Assert.ThrowsAsync<ScheduleActionException>(() => node.Schedules().Remove("daily", "bob"));

        var anew = await node.Save(Daily);
        Assert.Empty(anew.Results);
        Assert.Equal(["created", "removed", "started", "created"], anew.Events.Select(e => e.What));
    }

    [Fact]
    public async Task Schedules_are_listed_by_name_each_with_its_next_five_times()
    {
        await using var desk = await Desk();
        await desk.Save(Daily with { Name = "b" });
        await desk.Save(Daily with { Name = "a", Cron = null, Every = TimeSpan.FromMinutes(5) });

        var listed = await desk.Schedules().List();

        Assert.Equal(["a", "b"], listed.Select(s => s.Name));
        Assert.All(listed, s => Assert.Equal(5, s.Next.Count));
        Assert.All(listed[1].Next, t => Assert.Equal(3, t.Hour));
        Assert.Equal(TimeSpan.FromMinutes(20), listed[0].Next[4] - listed[0].Next[0]);
    }

    public static TheoryData<string, ScheduleSettings> Bad => new()
    {
        { "name", Daily with { Name = "Two Words" } },
        { "name", Daily with { Name = "a\n" } },
        { "title", Daily with { Title = "two\nlines" } },
        { "subject", Daily with { Subject = "" } },
        { "kind", Daily with { Kind = "unknown" } },
        { "input", Daily with { Input = default } },
        { "input", Daily with { Input = JsonSerializer.SerializeToElement(new { steps = Array.Empty<string>() }) } },
        { "input", Daily with { Input = JsonSerializer.SerializeToElement("no object") } },
        { "cron", Daily with { Cron = "61 3 * * *" } },
        { "cron", Daily with { Cron = "@daily" } },
        { "cron", Daily with { Cron = "0 0 30 2 *" } },
        { "cron", Daily with { Cron = null } },
        { "cron", Daily with { Every = TimeSpan.FromHours(1) } },
        { "every", Daily with { Cron = null, Every = TimeSpan.FromMilliseconds(999) } },
        { "every", Daily with { Cron = null, Every = TimeSpan.FromMilliseconds(1500) } },
        { "every", Daily with { Cron = null, Every = TimeSpan.FromDays(367) } },
        { "timeZone", Daily with { TimeZone = "Europe/Nowhere" } },
        { "timeZone", Daily with { TimeZone = "../../etc/passwd" } },
        { "jitter", Daily with { Jitter = TimeSpan.FromHours(24) } },
        { "jitter", Daily with { Jitter = TimeSpan.FromSeconds(-1) } },
        { "jitter", Daily with { Cron = null, Every = TimeSpan.FromSeconds(5), Jitter = TimeSpan.FromSeconds(5) } },
        { "priority", Daily with { Priority = (RunPriority)9 } },
        { "misfire", Daily with { Misfire = (MisfirePolicy)9 } },
        { "overlap", Daily with { Misfire = MisfirePolicy.FireAll } },
    };

    [Fact]
    public async Task Bad_input_is_refused_with_the_field_and_the_rule_and_changes_nothing()
    {
        await using var desk = await Desk();
        var before = await desk.Save(Daily);
        foreach (var row in Bad)
        {
            var (field, settings) = ((string)row[0], (ScheduleSettings)row[1]);
            var refused = await Assert.ThrowsAsync<InvalidScheduleException>(() => desk.Save(settings));
            Assert.Equal(field, Assert.Single(refused.Problems).Field);
        }

        var all = await Assert.ThrowsAsync<InvalidScheduleException>(() => desk.Save(Daily with { Name = "", Kind = "unknown", Cron = "x" }));
        Assert.Equal(["name", "kind", "cron"], all.Problems.Select(p => p.Field));
        await Assert.ThrowsAsync<ArgumentException>(() => desk.Schedules().Save(Daily with { Title = "new" }, " "));
        await Assert.ThrowsAsync<ArgumentException>(() => desk.Schedules().Pause("daily", "ada", " "));
        await Assert.ThrowsAsync<ScheduleActionException>(() => desk.Schedules().Pause("daily", "ada", "why", TimeProvider.System.GetUtcNow().AddMinutes(-1)));
        await Assert.ThrowsAsync<ScheduleActionException>(() => desk.Schedules().RunNow("other", "ada"));

        var after = Assert.Single(await desk.Schedules().List());
        Assert.Equal((before.ChangedAt, before.Next[0], before.Cron), (after.ChangedAt, after.Next[0], after.Cron));
        Assert.Single((await desk.Schedules().Get("daily"))!.Events);
    }
}
