namespace ManagedServers.Workflows.Monitoring;

/// <summary>Bounds and windows. The settings page takes these over in a later issue.</summary>
public sealed record MonitoringOptions
{
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What the heartbeat bar looks back on.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How late a beat may be and still count for the bar.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Beats in the window of a healthy server.</summary>
    public int HealthyCount { get; init; } = 4;

    /// <summary>Single beats, with what was measured with them.</summary>
    public TimeSpan HeartbeatsKept { get; init; } = TimeSpan.FromDays(14);

    /// <summary>How old beats are packed: they take a tenth of the room then. An hour is packed as a whole.</summary>
    public TimeSpan PackedAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>What was measured, by the minute: a month, and some days to look back from its end.</summary>
    public TimeSpan MinutesKept { get; init; } = TimeSpan.FromDays(35);

    /// <summary>By the hour: a year, and the month of the year before to compare with.</summary>
    public TimeSpan HoursKept { get; init; } = TimeSpan.FromDays(400);

    /// <summary>By the day: ten years.</summary>
    public TimeSpan DaysKept { get; init; } = TimeSpan.FromDays(3653);

    /// <summary>Counts by the minute; a name's total and last access are kept for ever.</summary>
    public TimeSpan HitsKept { get; init; } = TimeSpan.FromDays(90);

    /// <summary>What waited longer in a spool is refused. Shorter than everything kept, so that nothing lands in a day that was cleaned up.</summary>
    public TimeSpan OldestAccepted { get; init; } = TimeSpan.FromDays(8);

    /// <summary>Names with a row of their own, per server; a flood of random names beyond it is counted together.</summary>
    public int NamesPerServer { get; init; } = 100_000;

    /// <summary>Records waiting for the writer, at most; a name or a beat weighs one. About 200 MB at worst.</summary>
    public int QueueLimit { get; init; } = 400_000;

    /// <summary>Records in one transaction.</summary>
    public int BatchLimit { get; init; } = 50_000;
}
