namespace ManagedServers.Engine;

/// <summary>
/// When a failed attempt is tried again. Waits vary by 20 % either way so that runs which failed together do not return together. A wait is a hundred years at most,
/// which a longer one, such as <see cref="TimeSpan.MaxValue"/>, becomes; a negative one is refused.
/// </summary>
public sealed record Backoff
{
    private Backoff(int tries, TimeSpan first, double factor, TimeSpan max)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tries, 1);
        (Tries, First, Factor, Max) = (tries, TimeLimits.Wait(first), factor, TimeLimits.Wait(max));
    }

    /// <summary>Attempts in all, the first included.</summary>
    public int Tries { get; }

    /// <summary>Wait after the first failure.</summary>
    public TimeSpan First { get; }

    /// <summary>Each further wait is this much longer.</summary>
    public double Factor { get; }

    /// <summary>Longest wait.</summary>
    public TimeSpan Max { get; }

    /// <summary>No second try.</summary>
    public static Backoff None { get; } = new(1, TimeSpan.Zero, 1, TimeSpan.Zero);

    /// <summary>Six tries over about half a minute: outlives a restart of a daemon on the other side.</summary>
    public static Backoff Default { get; } = Exponential(6, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(15));

    /// <summary>The same wait each time.</summary>
    public static Backoff Fixed(int tries, TimeSpan wait) => new(tries, wait, 1, wait);

    /// <summary>Doubles from <paramref name="first"/> to <paramref name="max"/>.</summary>
    public static Backoff Exponential(int tries, TimeSpan first, TimeSpan max) => new(tries, first, 2, max);

    /// <summary>The wait after the given failed attempt (1 is the first), before jitter; null when the tries are used up.</summary>
    public TimeSpan? After(int attempt) =>
        attempt >= Tries ? null : TimeSpan.FromTicks((long)Math.Min(Max.Ticks, First.Ticks * Math.Pow(Factor, attempt - 1)));
}
