using Cronos;

namespace ManagedServers.Engine;

/// <summary>The nominal times that passed.</summary>
/// <param name="Count">How many; the least number when <paramref name="Counted"/> is false.</param>
/// <param name="Counted">False when there were too many to count.</param>
/// <param name="Latest">The latest of them, in order.</param>
internal sealed record PassedTimes(int Count, bool Counted, IReadOnlyList<DateTimeOffset> Latest);

/// <summary>
/// The nominal times of a schedule, by cron in its zone or by interval. Cronos decides what a change of the clock means: a fixed time that is left out comes at
/// the end of the gap, one that comes twice counts once, and <c>*/30 * * * *</c> goes on every half hour of real time.
/// </summary>
internal sealed class ScheduleTiming
{
    // A schedule of every second and a node away for three hours; beyond that nobody wants the exact number.
    private const int CountLimit = 10_000;
    private static readonly TimeSpan FirstWindow = TimeSpan.FromMinutes(5);

    private readonly CronExpression? cron;
    private readonly TimeSpan every;
    private readonly TimeZoneInfo zone;

    public ScheduleTiming(string? cron, TimeSpan? every, string timeZone)
    {
        this.cron = cron is null ? null : Parse(cron);
        this.every = every ?? default;
        zone = Zone(timeZone);
    }

    /// <summary>Throws a <c>CronFormatException</c> that says what is wrong with it.</summary>
    public static CronExpression Parse(string cron) => cron.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length switch
    {
        5 => CronExpression.Parse(cron, CronFormat.Standard),
        6 => CronExpression.Parse(cron, CronFormat.IncludeSeconds),
        var fields => throw new CronFormatException($"It has {fields} fields."), // Hangfire, which must read it too, knows no others
    };

    /// <exception cref="TimeZoneNotFoundException">This machine knows no such zone.</exception>
    public static TimeZoneInfo Zone(string name) => name == "UTC" ? TimeZoneInfo.Utc : TimeZoneInfo.FindSystemTimeZoneById(name);

    /// <summary>The first nominal time of a schedule that is saved at this time.</summary>
    public DateTimeOffset? First(DateTimeOffset now) =>
        cron is null ? new DateTimeOffset(now.Ticks - (now.Ticks % TimeSpan.TicksPerSecond), now.Offset) + every : After(now, now);

    /// <summary>The first nominal time after a moment, in UTC, counted on from a nominal time.</summary>
    public DateTimeOffset? After(DateTimeOffset nominal, DateTimeOffset moment)
    {
        if (cron is not null)
        {
            return cron.GetNextOccurrence(moment, zone)?.ToUniversalTime();
        }

        var whole = moment < nominal ? -1 : (moment - nominal).Ticks / every.Ticks;
        return DateTimeOffset.MaxValue - moment > every ? nominal + (every * (whole + 1)) : null;
    }

    /// <summary>The next nominal times, as a clock in the schedule's zone shows them.</summary>
    public IReadOnlyList<DateTimeOffset> Next(DateTimeOffset? first, int count)
    {
        var times = new List<DateTimeOffset>(count);
        for (var time = first; time is { } t && times.Count < count; time = After(t, t))
        {
            times.Add(TimeZoneInfo.ConvertTime(t, zone));
        }

        return times;
    }

    /// <summary>The nominal times from one to now, both included.</summary>
    public PassedTimes Passed(DateTimeOffset from, DateTimeOffset now, int keep)
    {
        if (cron is null)
        {
            var count = (now - from).Ticks / every.Ticks + 1;
            var kept = (int)Math.Min(count, keep);
            return new PassedTimes((int)Math.Min(count, int.MaxValue), true, [.. Enumerable.Range(0, kept).Select(n => from + (every * (count - kept + n)))]);
        }

        var latest = new Queue<DateTimeOffset>();
        var passed = 0;
        for (DateTimeOffset? time = from; time is { } t && t <= now; time = After(t, t))
        {
            if (++passed > CountLimit)
            {
                return new PassedTimes(CountLimit, false, Latest(now, keep));
            }

            latest.Enqueue(t);
            if (latest.Count > keep)
            {
                latest.Dequeue();
            }
        }

        return new PassedTimes(passed, true, [.. latest]);
    }

    /// <summary>The latest so many up to now, found backwards: there are more than anybody wants to walk through.</summary>
    private List<DateTimeOffset> Latest(DateTimeOffset now, int keep)
    {
        for (var window = FirstWindow; ; window *= 2)
        {
            var found = cron!.GetOccurrences(now - window, now, zone, fromInclusive: true, toInclusive: true).Select(t => t.ToUniversalTime()).TakeLast(keep).ToList();
            if (found.Count == keep)
            {
                return found;
            }
        }
    }
}
