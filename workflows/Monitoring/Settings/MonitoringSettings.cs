using ManagedServers.Workflows.Settings;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>The module "Monitoring settings": how often hosts report, what counts as healthy, how long what they said is kept.</summary>
public sealed record MonitoringSettings
{
    /// <summary>Its place among the settings.</summary>
    public static SettingsModule<MonitoringSettings> Module { get; } = new("monitoring", "Monitoring settings", (settings, refuse) => settings.Check(refuse));

    /// <summary>Between two heartbeats of a host.</summary>
    public int HeartbeatIntervalSeconds { get; init; } = 30;

    /// <summary>What the heartbeat bar looks back on.</summary>
    public int WindowSeconds { get; init; } = 120;

    /// <summary>Beats in the window of a healthy server.</summary>
    public int HealthyCount { get; init; } = 4;

    /// <summary>Between two samples of a monitor.</summary>
    public int PushIntervalSeconds { get; init; } = 10;

    /// <summary>Between two sweeps over the hosts whose statistics are fetched.</summary>
    public int PullIntervalSeconds { get; init; } = 30;

    /// <summary>Single beats, with what was measured with them.</summary>
    public int HeartbeatsKeptDays { get; init; } = 14;

    /// <summary>What was measured, by the minute: a month, and some days to look back from its end.</summary>
    public int MinutesKeptDays { get; init; } = 35;

    /// <summary>By the hour: a year, and the month of the year before to compare with.</summary>
    public int HoursKeptDays { get; init; } = 400;

    /// <summary>By the day: ten years.</summary>
    public int DaysKeptDays { get; init; } = 3653;

    /// <summary>Hits by the minute; a name's total and last access are kept for ever.</summary>
    public int HitsKeptDays { get; init; } = 90;

    private void Check(Action<string, string> refuse)
    {
        // A spool may deliver what is eight days old: it must not land in a day that was cleaned up.
        const int spooled = 9;
        Range(HeartbeatIntervalSeconds, 5, 300, "heartbeatIntervalSeconds", "seconds", refuse);
        Range(WindowSeconds, 10, 3600, "windowSeconds", "seconds", refuse);
        Range(HealthyCount, 1, 100, "healthyCount", "beats", refuse);
        Range(PushIntervalSeconds, 1, 300, "pushIntervalSeconds", "seconds", refuse);
        Range(PullIntervalSeconds, 5, 300, "pullIntervalSeconds", "seconds", refuse);
        Range(HeartbeatsKeptDays, spooled, 400, "heartbeatsKeptDays", "days", refuse);
        Range(MinutesKeptDays, spooled, 400, "minutesKeptDays", "days", refuse);
        Range(HoursKeptDays, spooled, 3660, "hoursKeptDays", "days", refuse);
        Range(DaysKeptDays, spooled, 36_600, "daysKeptDays", "days", refuse);
        Range(HitsKeptDays, spooled, 3660, "hitsKeptDays", "days", refuse);
        if ((long)HealthyCount * HeartbeatIntervalSeconds > WindowSeconds)
        {
            refuse("healthyCount", $"does not fit: {HealthyCount} beats, one every {HeartbeatIntervalSeconds} s, take longer than the window of {WindowSeconds} s, and every server would be called degraded");
        }
    }

    internal static void Range(int value, int least, int most, string field, string unit, Action<string, string> refuse)
    {
        if (value < least || value > most)
        {
            refuse(field, $"must be {least} to {most} {unit}");
        }
    }
}
