namespace ManagedServers.Workflows.Monitoring;

/// <summary>How finely measurements are rolled up. A row of its table is a block of buckets of one server.</summary>
internal sealed record Level(string Name, string Table, TimeSpan Bucket, int Buckets, Func<DateTime, DateTime> Block, Func<CurrentMonitoring, TimeSpan> Kept)
{
    public static readonly Level Minute = new("minute", "metrics_minute", TimeSpan.FromMinutes(1), 60,
        at => at.Date.AddHours(at.Hour), current => current.MinutesKept);

    public static readonly Level Hour = new("hour", "metrics_hour", TimeSpan.FromHours(1), 24,
        at => at.Date, current => current.HoursKept);

    public static readonly Level Day = new("day", "metrics_day", TimeSpan.FromDays(1), 31,
        at => new DateTime(at.Year, at.Month, 1, 0, 0, 0, DateTimeKind.Utc), current => current.DaysKept);

    /// <summary>From the finest.</summary>
    public static readonly Level[] All = [Minute, Hour, Day];

    public int Slot(DateTime at) => (int)((at - Block(at)) / Bucket);
}
