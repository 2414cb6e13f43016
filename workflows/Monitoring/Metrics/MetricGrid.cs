namespace ManagedServers.Workflows.Monitoring;

/// <summary>How the time that was asked for is cut, and what it is read from.</summary>
/// <param name="Level">Null: single beats.</param>
/// <param name="Start">Of the first step; steps begin at whole multiples of their length.</param>
internal sealed record MetricGrid(Level? Level, DateTime Start, DateTime End, TimeSpan Step)
{
    private const int MostPoints = 10_000;
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3700);

    public string Resolution => Level?.Name ?? "beat";

    /// <summary>How long a bucket of the level lasts.</summary>
    public TimeSpan Bucket => Level?.Bucket ?? TimeSpan.Zero;

    /// <summary>How many there are; 0 for single beats.</summary>
    public long Steps => Level is null ? 0 : (End - Start).Ticks / Step.Ticks + 1;

    /// <exception cref="InvalidInputException">A period that is none or too long, or a number of points that is.</exception>
    public static MetricGrid Of(MetricsQuery query, CurrentMonitoring current, DateTimeOffset now)
    {
        var to = query.To ?? now;
        var from = query.From ?? (to.UtcTicks > TimeSpan.TicksPerDay ? to.AddDays(-1) : to);
        if (from >= to || to - from > Longest || to.UtcDateTime.Year >= 9999)
        {
            throw new InvalidInputException("to", $"A period ends after it starts, and is {Longest.TotalDays:0} days long at most.");
        }

        if (query.Points is < 1 or > MostPoints)
        {
            throw new InvalidInputException("points", $"A number from 1 to {MostPoints}.");
        }

        var ideal = (to - from) / query.Points;
        if (ideal <= current.HeartbeatInterval && from > now - current.HeartbeatsKept)
        {
            return new MetricGrid(null, from.UtcDateTime, to.UtcDateTime, Whole(ideal, TimeSpan.FromSeconds(1)));
        }

        var level = Level.All.LastOrDefault(l => l.Bucket <= ideal) ?? Level.Minute;
        // What is kept no longer is told from what is kept longer.
        level = Level.All.SkipWhile(l => l != level).FirstOrDefault(l => from > now - l.Kept(current)) ?? Level.Day;
        var step = Whole(ideal, level.Bucket);
        return new MetricGrid(level, Floor(from.UtcDateTime, step), to.UtcDateTime, step);
    }

    public DateTime StepOf(DateTime at) => Floor(at, Step);

    private static TimeSpan Whole(TimeSpan span, TimeSpan unit) => new(Math.Max(1, (span.Ticks + unit.Ticks - 1) / unit.Ticks) * unit.Ticks);

    private static DateTime Floor(DateTime at, TimeSpan unit) => new(at.Ticks - at.Ticks % unit.Ticks, DateTimeKind.Utc);
}
