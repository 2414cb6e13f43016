namespace ManagedServers.Engine;

/// <summary>What to do now with the nominal times that are due.</summary>
/// <param name="Fire">The one to start a run for; null when there is none.</param>
/// <param name="Missed">How many before it are given up.</param>
/// <param name="Counted">False when there are more of them than were counted.</param>
/// <param name="LastMissed">The last one of those.</param>
internal sealed record DueTimes(DateTimeOffset? Fire, int Missed, bool Counted, DateTimeOffset? LastMissed);

/// <summary>Applies a misfire policy. A time counts as missed when it, with its jitter, is longer ago than <see cref="EngineOptions.MisfireAfter"/>.</summary>
internal static class Misfires
{
    /// <summary>How many missed times <see cref="MisfirePolicy.FireAll"/> makes up for at most.</summary>
    public const int FireAllLimit = 100;

    public static DueTimes Decide(MisfirePolicy policy, ScheduleTiming timing, TimeSpan jitter, DateTimeOffset next, DateTimeOffset now, TimeSpan missedAfter)
    {
        // One a second is the most there can be, and the jitter is shorter than the time between two.
        var onTimeAtMost = (int)Math.Ceiling(missedAfter.TotalSeconds) + 2;
        var passed = timing.Passed(next, now, onTimeAtMost + FireAllLimit + 1);
        var late = passed.Latest.Count(t => now - t > missedAfter + jitter);
        var onTime = passed.Latest.Count - late;
        var madeUp = policy switch
        {
            MisfirePolicy.FireAll => Math.Min(late, FireAllLimit),
            MisfirePolicy.FireOnce => onTime == 0 ? 1 : 0,
            _ => 0,
        };
        // Where any was missed, one run makes up for all that have passed, those that would not have been late among them.
        var kept = passed.Latest.TakeLast(policy == MisfirePolicy.FireOnce && late > 0 ? 1 : onTime + madeUp).ToList();
        var missed = passed.Count - kept.Count;
        return new DueTimes(kept.Count > 0 ? kept[0] : null, missed, passed.Counted, missed > 0 ? passed.Latest[^(kept.Count + 1)] : null);
    }
}
