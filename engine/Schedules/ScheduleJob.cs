using Hangfire;

namespace ManagedServers.Engine;

/// <summary>What Hangfire's recurring and delayed jobs do for a schedule: they wake a node. Whether anything is due is decided by the schedule's own row.</summary>
internal sealed class ScheduleJob(ScheduleFirer firer)
{
    /// <summary>Called by a worker of Hangfire. Recurring jobs know no nominal time; delayed ones are made for one.</summary>
    // Whoever is not woken by it is woken by the next one, or by a sweep.
    [JobDisplayName("wake schedule {0}"), AutomaticRetry(Attempts = 0)]
    public Task Wake(string name, DateTimeOffset? nominal) => firer.Fire(name, nominal, woken: true);
}
