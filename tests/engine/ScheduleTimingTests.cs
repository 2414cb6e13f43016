namespace ManagedServers.Engine.Tests;

public sealed class ScheduleTimingTests
{
    private static DateTimeOffset Utc(string time) => DateTimeOffset.Parse(time + "Z", System.Globalization.CultureInfo.InvariantCulture);

    private static IEnumerable<string> Next(string cron, string from, int count = 5)
    {
        var timing = new ScheduleTiming(cron, null, "Europe/Prague");
        return timing.Next(timing.First(Utc(from)), count).Select(t => t.ToString("MM-dd HH:mm zzz", System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public void In_spring_a_time_that_the_clock_leaves_out_comes_at_the_end_of_the_gap() => Assert.Equal(
        ["03-27 02:30 +01:00", "03-28 02:30 +01:00", "03-29 03:00 +02:00", "03-30 02:30 +02:00", "03-31 02:30 +02:00"], Next("30 2 * * *", "2026-03-27T00:00"));

    [Fact]
    public void In_autumn_a_time_that_the_clock_shows_twice_comes_once() => Assert.Equal(
        ["10-24 02:30 +02:00", "10-25 02:30 +02:00", "10-26 02:30 +01:00", "10-27 02:30 +01:00", "10-28 02:30 +01:00"], Next("30 2 * * *", "2026-10-24T00:00"));

    [Fact]
    public void In_autumn_every_half_hour_goes_on_every_half_hour_of_real_time() => Assert.Equal(
        ["10-25 02:00 +02:00", "10-25 02:30 +02:00", "10-25 02:00 +01:00", "10-25 02:30 +01:00", "10-25 03:00 +01:00"], Next("*/30 * * * *", "2026-10-24T23:45"));

    [Fact]
    public void The_same_time_at_both_ends_of_a_change_of_the_clock_is_not_the_same_nominal_time()
    {
        var timing = new ScheduleTiming("*/30 * * * *", null, "Europe/Prague");
        var times = timing.Next(timing.First(Utc("2026-10-24T23:45")), 5);

        Assert.Equal(5, times.Select(t => t.UtcDateTime).Distinct().Count());
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.Equal(TimeSpan.FromMinutes(30), pair.Second - pair.First));
    }

    [Fact]
    public void An_interval_is_counted_from_its_first_time_however_long_nobody_looked()
    {
        var timing = new ScheduleTiming(null, TimeSpan.FromSeconds(7), "UTC");
        var first = Utc("2026-01-01T00:00");

        Assert.Equal(first.AddSeconds(7 * 100_001), timing.After(first, first.AddSeconds(7 * 100_000)));
        Assert.Equal(first.AddSeconds(7 * 100_000), timing.After(first, first.AddSeconds((7 * 100_000) - 1)));
        Assert.Equal(first, timing.After(first, first.AddSeconds(-3)));
    }

    [Theory]
    [InlineData(MisfirePolicy.FireOnce, 1)]
    [InlineData(MisfirePolicy.Skip, 0)]
    [InlineData(MisfirePolicy.FireAll, 100)]
    public void After_a_month_a_cron_of_every_second_makes_up_for_as_many_as_its_policy_says_and_does_not_count_millions(MisfirePolicy policy, int madeUp)
    {
        var from = Utc("2026-01-01T00:00");
        var now = Utc("2026-02-01T00:00").AddMilliseconds(400);
        var timing = new ScheduleTiming("* * * * * *", null, "UTC");
        // At an hour's end nothing is on time.
        var due = Misfires.Decide(policy, new ScheduleTiming("* 0-11 * * * *", null, "UTC"), TimeSpan.Zero, from, Utc("2026-02-01T00:20"), TimeSpan.FromSeconds(10));
        Assert.Equal(madeUp == 0 ? null : Utc("2026-02-01T00:12").AddSeconds(-madeUp), due.Fire);
        Assert.Equal(madeUp == 0 ? Utc("2026-02-01T00:11:59") : due.Fire!.Value.AddSeconds(-1), due.LastMissed);

        // While it is on time, too, those seconds are fired; but where one run is to make up for all, it does for them too.
        due = Misfires.Decide(policy, timing, TimeSpan.Zero, from, now, TimeSpan.FromSeconds(10));
        Assert.Equal(now.AddMilliseconds(-400).AddSeconds(policy switch { MisfirePolicy.FireAll => -109, MisfirePolicy.FireOnce => 0, _ => -9 }), due.Fire);
        Assert.False(due.Counted);
    }

    [Fact]
    public void A_time_within_its_jitter_is_not_late()
    {
        var timing = new ScheduleTiming(null, TimeSpan.FromHours(1), "UTC");
        var nominal = Utc("2026-01-01T00:00");

        Assert.Equal(nominal, Misfires.Decide(MisfirePolicy.Skip, timing, TimeSpan.FromMinutes(30), nominal, nominal.AddMinutes(30), TimeSpan.FromSeconds(10)).Fire);
        Assert.Null(Misfires.Decide(MisfirePolicy.Skip, timing, TimeSpan.FromMinutes(30), nominal, nominal.AddMinutes(31), TimeSpan.FromSeconds(10)).Fire);
    }
}
