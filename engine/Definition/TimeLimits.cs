using System.Runtime.CompilerServices;

namespace ManagedServers.Engine;

/// <summary>Times that a plan names, as they can be kept: added to today's date they must still be a date, for PostgreSQL and for whoever reads it.</summary>
internal static class TimeLimits
{
    /// <summary>A hundred years: what is meant by "no limit".</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(36_525);

    /// <summary>A limit; more than the longest, or <see cref="Timeout.InfiniteTimeSpan"/>, is the longest.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or nothing.</exception>
    public static TimeSpan Limit(TimeSpan limit, [CallerArgumentExpression(nameof(limit))] string? name = null)
    {
        if (limit == Timeout.InfiniteTimeSpan)
        {
            return Longest;
        }

        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero, name);
        return limit < Longest ? limit : Longest;
    }

    /// <summary>A time to wait, which may be none; more than the longest is the longest.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public static TimeSpan Wait(TimeSpan time, [CallerArgumentExpression(nameof(time))] string? name = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, name);
        return time < Longest ? time : Longest;
    }
}
