namespace ManagedServers.Engine;

/// <summary>A timer that goes off once.</summary>
internal static class Timers
{
    // No timer takes longer; a process that lives so long looks at it again with its next claim.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(49);

    public static ITimer Once(this TimeProvider time, TimeSpan after, Action act) =>
        time.CreateTimer(_ => act(), null, after < TimeSpan.Zero ? TimeSpan.Zero : after > Longest ? Longest : after, Timeout.InfiniteTimeSpan);
}
