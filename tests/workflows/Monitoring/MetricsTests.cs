using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Tests.Monitoring;

public sealed class MetricsTests(Database database) : StorageTest(database)
{
    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await Set("monitoring", """{"minutesKeptDays":14,"hoursKeptDays":60}""");
    }

    [Fact]
    public async Task The_period_decides_how_finely_values_are_told()
    {
        await BeatForHours(4);
        await Pack();

        var beats = await Ask(TimeSpan.FromMinutes(10), 20, "load.1");
        Assert.Equal(("beat", 30, 20), (beats.Resolution, beats.StepSeconds, Only(beats).Count));
        var minutes = await Ask(TimeSpan.FromHours(3), 100, "load.1");
        Assert.Equal(("minute", 120), (minutes.Resolution, minutes.StepSeconds));
        Assert.All(Only(minutes).Skip(1).SkipLast(1), p => Assert.Equal(4, p.Count));
        var hours = await Ask(TimeSpan.FromDays(2), 24, "load.1");
        Assert.Equal(("hour", 7200), (hours.Resolution, hours.StepSeconds));
        var days = await Ask(TimeSpan.FromDays(50), 50, "load.1");
        Assert.Equal(("day", 86400), (days.Resolution, days.StepSeconds));

        Assert.All([minutes, hours, days], a => Assert.InRange(Only(a).Count, 1, 101));
        Assert.All([hours, days], a => Assert.Equal(480, Only(a).Sum(p => p.Count)));
        Assert.Equal(Only(days).Max(p => p.Max), Only(hours).Max(p => p.Max));
    }

    [Fact]
    public async Task Least_mean_and_most_are_those_of_the_beats()
    {
        var load = 0;
        await BeatForHours(4, with: b => b with { Load = [load++ % 4, 1, 1] });

        foreach (var packed in new[] { false, true })
        {
            var points = Only(await Ask(TimeSpan.FromHours(3), 60, "load.1")).Where(p => p.Count == 6).ToList();
            Assert.True(points.Count > 50);
            Assert.All(points, p => Assert.Equal((0, 3, true), (p.Min, p.Max, p.Value is > 1 and < 2)));
            await Pack();
        }
    }

    [Fact]
    public async Task Gaps_are_gaps_and_never_zeros()
    {
        await Beat(1, 60, Noon.AddHours(-2));
        await Beat(61, 60, Noon);

        foreach (var packed in new[] { false, true })
        {
            var minutes = Only(await Ask(TimeSpan.FromHours(3), 180, "memory.available"));
            Assert.InRange(minutes.Count(p => p is { Value: null, Min: null, Max: null, Count: 0 }), 115, 120);
            Assert.Equal(120, minutes.Sum(p => p.Count));
            var beats = Only(await Ask(TimeSpan.FromHours(3), 360, "memory.available"));
            Assert.Equal([true, false, true, false], Runs(beats.Select(p => p.Value is null)));
            await Pack();
        }
    }

    [Fact]
    public async Task A_counter_tells_its_growth_over_restarts_and_pauses_and_the_same_at_every_level()
    {
        long[] values = [100, 160, 220, 10, 70, 130];   // a restart in between
        var beat = 0;
        await Beat(1, 3, Noon.AddHours(-3), with: Counted);
        await Beat(4, 3, Noon.AddHours(-2).AddMinutes(10), with: Counted);

        foreach (var packed in new[] { false, true })
        {
            foreach (var (past, points, level) in new[] { (4.0, 480, "beat"), (4, 240, "minute"), (48, 48, "hour"), (240, 10, "day") })
            {
                var answer = await Ask(TimeSpan.FromHours(past), points, "network.received{eth0}");
                Assert.Equal(level, answer.Resolution);
                Assert.Equal(60 + 60 + 10 + 60 + 60, Only(answer).Sum(p => p.Increase));
            }

            var beats = Only(await Ask(TimeSpan.FromHours(4), 480, "network.received"));
            Assert.Equal([null, null, 2, 2, null, 10 / 4140.0, 2, 2, null], beats.Select(p => p.Value), (a, b) => a == b || Math.Abs(a!.Value - b!.Value) < 0.001);
            await Pack();
        }

        Heartbeat Counted(Heartbeat b) => b with { Network = [new NetworkUse("eth0", values[beat++], 0)] };
    }

    [Fact]
    public async Task One_of_several_is_named_by_its_label_and_none_means_all()
    {
        await BeatForHours(2);

        var disks = await Ask(TimeSpan.FromHours(1), 10, "disk.used", "load.1");
        Assert.Equal(["load.1", "disk.used{/}", "disk.used{/var/lib/ä}"], disks.Series.Select(s => s.Name));
        Assert.Equal(["disk.used{/}"], (await Ask(TimeSpan.FromHours(1), 10, "disk.used{/}")).Series.Select(s => s.Name));
        Assert.Empty((await Ask(TimeSpan.FromHours(1), 10, "disk.used{/elsewhere}")).Series);
        var all = await Ask(TimeSpan.FromHours(1), 1);
        Assert.Equal(MetricCatalogue.All.Except(MetricCatalogue.Counted).Select(m => m.Name), all.Series.Select(s => s.Metric).Distinct());
        Assert.All(all.Series, s => Assert.Equal(MetricCatalogue.Find(s.Metric)!.Unit, s.Unit));
    }

    [Theory]
    [InlineData("metric", 100, 1, "load")]
    [InlineData("metric", 100, 1, "load.1{x}")]
    [InlineData("metric", 100, 1, "disk.used{/")]
    [InlineData("metric", 100, 1, "")]
    [InlineData("points", 0, 1, "load.1")]
    [InlineData("points", 10_001, 1, "load.1")]
    [InlineData("to", 100, -1, "load.1")]
    [InlineData("to", 100, 4000 * 24, "load.1")]
    public async Task What_cannot_be_answered_is_refused_by_the_name_of_the_field(string field, int points, double hours, string metric)
    {
        var refusal = await Assert.ThrowsAsync<InvalidInputException>(() => Ask(TimeSpan.FromHours(hours), points, metric));
        Assert.Contains(field, refusal.Errors.Keys);
    }

    [Fact]
    public async Task More_values_than_can_be_sent_at_once_are_refused()
    {
        await BeatForHours(20);
        await Pack();
        foreach (var (hours, points) in new[] { (20, 3000), (240, 10_000) })
        {
            var refusal = await Assert.ThrowsAsync<InvalidInputException>(() => Ask(TimeSpan.FromHours(hours), points));
            Assert.Contains("name fewer metrics", refusal.Errors["points"][0], StringComparison.Ordinal);
            Assert.Equal(2400, Only(await Ask(TimeSpan.FromHours(hours), points, "load.1")).Sum(p => p.Count));
        }
    }

    [Fact]
    public async Task Each_level_is_kept_for_its_own_time_and_the_next_one_answers_for_it()
    {
        await BeatForHours(3);
        await Pack();
        async Task<(string, long)> AskFor(double hours, int points) => await Metrics.Query(Server, new MetricsQuery
        {
            Metrics = ["load.1"], From = Noon.AddHours(-hours), To = Noon, Points = points,
        }) is var a ? (a.Resolution, a.Series.Sum(s => s.Points.Sum(p => p.Count))) : default;
        Assert.Equal(("beat", 240), await AskFor(2, 1000));

        foreach (var (days, finest) in new[] { (15, "hour"), (61, "day") })
        {
            Time.Advance(Noon.AddDays(days) - Time.GetUtcNow());
            await Pack();
            await Get<Retention>().CleanUp(CancellationToken.None);
            Assert.Equal((finest, 360), await AskFor(12, 1000));
        }

        Assert.Equal(0, await Count("monitoring.heartbeat_hour") + await Count("monitoring.metrics_minute"));
        // Its month is not over by two.
        Assert.Equal(1, await Count("monitoring.metrics_day"));
    }

    private static IReadOnlyList<MetricPoint> Only(MetricsAnswer answer) => Assert.Single(answer.Series).Points;

    private static IEnumerable<bool> Runs(IEnumerable<bool> values)
    {
        bool? last = null;
        foreach (var value in values.Where(v => v != last))
        {
            last = value;
            yield return value;
        }
    }
}
