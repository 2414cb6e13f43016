namespace ManagedServers.Engine;

/// <summary>One field of a schedule that breaks a rule.</summary>
/// <param name="Field">Its name as in <see cref="ScheduleSettings"/>, in camelCase.</param>
/// <param name="Message">The rule, and what was given instead.</param>
public sealed record ScheduleProblem(string Field, string Message);

/// <summary>The schedule cannot be saved as it is; nothing was changed.</summary>
public sealed class InvalidScheduleException(IReadOnlyList<ScheduleProblem> problems)
    : Exception(string.Join(' ', problems.Select(p => p.Message)))
{
    /// <summary>All that is wrong with it.</summary>
    public IReadOnlyList<ScheduleProblem> Problems { get; } = problems;
}

/// <summary>The schedule does not exist, or is not in a state for what was asked; the message says which and what to do.</summary>
public sealed class ScheduleActionException(string message) : Exception(message);

/// <summary>What an action would do to a schedule.</summary>
/// <param name="What">In one word, as the audit would have it.</param>
/// <param name="Detail">More about it.</param>
public sealed record RehearsedSchedule(string What, string? Detail);

/// <summary>
/// Starts runs at their times: one nominal time gives at most one run, whatever happens to the nodes. Every action is audited with who and why.
/// </summary>
public interface ISchedules
{
    /// <summary>
    /// Creates the schedule of that name, or changes it. A pause stays; times go on from now when cron, interval or zone were changed, and as they were otherwise.
    /// </summary>
    /// <exception cref="InvalidScheduleException">A field breaks a rule; nothing was changed.</exception>
    Task<ScheduleDetails> Save(ScheduleSettings settings, string who, string? why = null, CancellationToken cancellationToken = default);

    /// <summary>Removes a schedule and its history. Its runs and its audit stay.</summary>
    /// <exception cref="ScheduleActionException">Unknown schedule.</exception>
    Task Remove(string name, string who, string? why = null, CancellationToken cancellationToken = default);

    /// <summary>A schedule with its audit, or null.</summary>
    Task<ScheduleDetails?> Get(string name, CancellationToken cancellationToken = default);

    /// <summary>All schedules, by name.</summary>
    Task<IReadOnlyList<Schedule>> List(CancellationToken cancellationToken = default);

    /// <summary>The nominal times that these settings would give from now on; nothing is saved.</summary>
    /// <param name="settings">Only cron, interval, zone and jitter are looked at.</param>
    /// <param name="count">1 to 100.</param>
    /// <exception cref="InvalidScheduleException">They break a rule.</exception>
    /// <exception cref="ArgumentException">Fewer or more were asked for.</exception>
    IReadOnlyList<DateTimeOffset> Preview(ScheduleSettings settings, int count = 5);

    /// <summary>What this one action would do: decided as it would be, refused as it would be, and taken back. Null where nothing would change.</summary>
    /// <param name="act">Acts on what it is given.</param>
    Task<RehearsedSchedule?> Rehearse(Func<ISchedules, Task> act);

    /// <summary>
    /// Lets a schedule start nothing until it is resumed, or until a time. What passes meanwhile is not made up for. A second pause replaces the first.
    /// </summary>
    /// <exception cref="ScheduleActionException">Unknown schedule, or the end is not in the future.</exception>
    Task Pause(string name, string who, string reason, DateTimeOffset? until = null, CancellationToken cancellationToken = default);

    /// <summary>Ends a pause.</summary>
    /// <exception cref="ScheduleActionException">Unknown schedule, or not paused.</exception>
    Task Resume(string name, string who, string? why = null, CancellationToken cancellationToken = default);

    /// <summary>Starts a run now, paused or not. The next nominal time stays as it is.</summary>
    /// <param name="name">The schedule.</param>
    /// <param name="who">Who asks: the run is requested by them.</param>
    /// <param name="why">Why, for the audit.</param>
    /// <param name="dedupeKey">A second call with the same key gives the first run.</param>
    /// <param name="cancellationToken">Gives up before the commit.</param>
    /// <exception cref="ScheduleActionException">Unknown schedule; its run cannot be started any more; or another run of it has not ended and the overlap policy is to skip.</exception>
    Task<StartedRun> RunNow(string name, string who, string? why = null, string? dedupeKey = null, CancellationToken cancellationToken = default);
}
