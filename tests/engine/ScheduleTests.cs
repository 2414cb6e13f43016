namespace ManagedServers.Engine.Tests;

public sealed class ScheduleTests
{
    [Fact]
    public async Task A_cron_of_every_second_starts_one_run_for_each_nominal_time_with_two_nodes()
    {
        await using var one = await TestNode.Start();
        await using var two = await TestNode.Start(database: one.ConnectionString, options: o => o.NodeName = "two");
        var saved = await one.Save(ScheduleBook.Scripted("tick") with { Cron = "* * * * * *", Misfire = MisfirePolicy.FireAll, Overlap = OverlapPolicy.Queue });

        var schedule = await one.Until("tick", s => s.Results.Count(r => r.Run?.State == RunState.Succeeded) >= 8);

        await one.EachTimeHasOneRun("tick", TimeSpan.FromSeconds(1));
        Assert.InRange((await one.History("tick"))[0].NominalAt!.Value - saved.CreatedAt.UtcDateTime, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        var run = (await one.Runs.Get(schedule.Results[^1].RunId!.Value))!;
        Assert.Equal("schedule:tick", run.RequestedBy);
    }

    [Fact]
    public async Task An_interval_goes_on_and_on_from_when_it_was_saved()
    {
        await using var node = await TestNode.Start();
        var saved = await node.Save(ScheduleBook.Scripted("beat") with { Every = TimeSpan.FromSeconds(2), Subject = "server:1", Overlap = OverlapPolicy.Queue });

        var schedule = await node.Until("beat", s => s.Results.Count(r => r.Run?.State == RunState.Succeeded) >= 3);

        await node.EachTimeHasOneRun("beat", TimeSpan.FromSeconds(2));
        Assert.InRange((schedule.Results[^1].NominalAt - saved.CreatedAt)!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        Assert.All(schedule.Results, r => Assert.Equal("server:1", r.Run!.Subject));
    }

    [Theory]
    [InlineData(MisfirePolicy.FireOnce, "missed x2, started")]
    [InlineData(MisfirePolicy.Skip, "missed x3")]
    [InlineData(MisfirePolicy.FireAll, "started, started, started")]
    public async Task Times_at_which_no_node_ran_are_made_up_for_as_the_schedule_says(MisfirePolicy policy, string history)
    {
        await using var desk = await TestNode.Start(options: o => (o.Workers, o.NodeName) = (0, "desk"));
        await desk.Save(ScheduleBook.Scripted("nightly") with
        {
            Every = TimeSpan.FromHours(1), Misfire = policy, Overlap = policy == MisfirePolicy.FireAll ? OverlapPolicy.Queue : OverlapPolicy.Skip,
        });
        await desk.PutBack("nightly", TimeSpan.FromHours(2.5));

        await using var node = await TestNode.Start(database: desk.ConnectionString);
        var schedule = await desk.Until("nightly", s => s.Next[0] > s.CreatedAt && s.Results.Count == history.Split(", ").Length);

        var rows = await desk.History("nightly");
        Assert.Equal(history, string.Join(", ", rows.Select(f => f.Outcome + (f.Times > 1 ? $" x{f.Times}" : ""))));
        if (rows[0].Outcome == "missed")
        {
            Assert.StartsWith("No node was there in time to start their runs.", rows[0].Reason, StringComparison.Ordinal);
        }

        // The latest of the times that passed, and on from there: nothing shifts.
        Assert.Equal(schedule.Next[0].UtcDateTime - TimeSpan.FromHours(1), rows[^1].LastNominalAt);
    }

    [Fact]
    public async Task A_time_that_was_missed_by_seconds_is_fired_late_and_keeps_its_nominal_time()
    {
        await using var desk = await TestNode.Start(options: o => (o.Workers, o.NodeName) = (0, "desk"));
        await desk.Save(ScheduleBook.Scripted("late") with { Every = TimeSpan.FromHours(1), Misfire = MisfirePolicy.Skip });
        await desk.PutBack("late", TimeSpan.FromSeconds(3));
        var nominal = (await desk.Schedules().Get("late"))!.Next[0] - TimeSpan.FromHours(1);

        await using var node = await TestNode.Start(database: desk.ConnectionString);
        var schedule = await desk.Until("late", s => s.Results.Count > 0);

        Assert.Equal((FiringOutcome.Started, nominal), (schedule.Results[0].Outcome, schedule.Results[0].NominalAt));
    }

    [Fact]
    public async Task While_a_run_has_not_ended_the_next_ones_are_skipped_and_the_history_names_it()
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("slow", _ => go.Task));
        await node.Save(ScheduleBook.Scripted("slow", "slow") with { Every = TimeSpan.FromSeconds(1) });

        var schedule = await node.Until("slow", s => s.Results is [{ Outcome: FiringOutcome.Skipped, Times: >= 2, Run: null, Reason: var why }, ..] && why!.EndsWith("it is running.", StringComparison.Ordinal));
        var run = schedule.Results[^1].RunId!.Value;
        Assert.Equal($"Run {run} of this schedule has not ended: it is running.", schedule.Results[0].Reason);
        Assert.Single(await node.Runs.List(new RunFilter()));

        go.SetResult();
        await node.Until("slow", s => s.Results[0].Outcome == FiringOutcome.Started && s.Results[0].RunId != run);
    }

    [Fact]
    public async Task Runs_that_queue_start_one_after_another()
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("slow", _ => go.Task));
        await node.Save(ScheduleBook.Scripted("line", "slow") with { Every = TimeSpan.FromSeconds(1), Overlap = OverlapPolicy.Queue });

        var schedule = await node.Until("line", s => s.Results.Count >= 3 && s.Results[0].Run!.Reason is not null);
        Assert.Contains("which is running and holds schedule:line.", schedule.Results[0].Run!.Reason, StringComparison.Ordinal);
        Assert.Single(node.Actors.Calls);

        go.SetResult();
        foreach (var result in schedule.Results)
        {
            Assert.Equal(RunState.Succeeded, (await node.Ended(result.RunId!.Value)).State);
        }
    }

    [Fact]
    public async Task Jitter_starts_a_run_later_within_its_bound_and_keeps_the_nominal_time()
    {
        await using var node = await TestNode.Start();
        var jitter = TimeSpan.FromMilliseconds(1900);
        var saved = await node.Save(ScheduleBook.Scripted("spread") with { Cron = "*/2 * * * * *", Jitter = jitter, Misfire = MisfirePolicy.FireAll, Overlap = OverlapPolicy.Queue });

        var schedule = await node.Until("spread", s => s.Results.Count >= 4);

        await node.EachTimeHasOneRun("spread", TimeSpan.FromSeconds(2));
        Assert.InRange((schedule.Results[^1].NominalAt - saved.CreatedAt)!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.All(schedule.Results, r => Assert.True(r.At >= r.NominalAt, $"{r.At} is before {r.NominalAt}"));
        Assert.True(schedule.Results.Select(r => (r.At - r.NominalAt!.Value).TotalMilliseconds).Max() > 200, "nothing was spread");
    }

    [Fact]
    public async Task A_run_that_cannot_be_started_any_more_is_refused_in_the_history_and_the_schedule_goes_on()
    {
        await using var desk = await TestNode.Start(options: o => (o.Workers, o.NodeName) = (0, "desk"));
        await desk.Save(ScheduleBook.Scripted("old") with { Every = TimeSpan.FromMinutes(1) });
        await using (var connection = await desk.Database.OpenConnectionAsync())
        {
            await Dapper.SqlMapper.ExecuteAsync(connection, "update engine.schedule set kind = 'gone'");
        }

        await desk.PutBack("old", TimeSpan.FromSeconds(30));
        await using var node = await TestNode.Start(database: desk.ConnectionString);
        var schedule = await desk.Until("old", s => s.Results.Count > 0);

        Assert.Equal((FiringOutcome.Refused, "There is no workflow 'gone' in this process."), (schedule.Results[0].Outcome, schedule.Results[0].Reason));
    }
}
