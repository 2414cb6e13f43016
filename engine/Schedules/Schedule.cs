using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace ManagedServers.Engine;

/// <summary>What becomes of nominal times that passed while no node was there to start their runs.</summary>
public enum MisfirePolicy
{
    /// <summary>One run, with the latest nominal time, makes up for all of them.</summary>
    FireOnce,

    /// <summary>None is made up for; the history says how many were missed.</summary>
    Skip,

    /// <summary>Each gets its run, the latest 100 at most. Needs <see cref="OverlapPolicy.Queue"/>.</summary>
    FireAll,
}

/// <summary>What a schedule does when a run of it has not ended yet. A paused run has not ended.</summary>
public enum OverlapPolicy
{
    /// <summary>Starts none; the history names the run that was in the way.</summary>
    Skip,

    /// <summary>Starts the run, which waits until those before it have ended; at most 100 wait.</summary>
    Queue,
}

/// <summary>What became of a nominal time.</summary>
public enum FiringOutcome
{
    /// <summary>It has its run.</summary>
    Started,

    /// <summary>Left out by the overlap policy or a pause.</summary>
    Skipped,

    /// <summary>No node was there in time, and the misfire policy does not make up for it.</summary>
    Missed,

    /// <summary>The run could not be started: its workflow is gone, or its plan cannot be made any more.</summary>
    Refused,
}

/// <summary>What a schedule is to do, as it is saved. The name says which one.</summary>
public record ScheduleSettings
{
    /// <summary>Unique: 1 to 100 lower-case letters, digits, dots and dashes, beginning with a letter or digit.</summary>
    public required string Name { get; init; }

    /// <summary>What operators read, one line of at most 200 characters.</summary>
    public string? Title { get; init; }

    /// <summary>The workflow whose runs it starts.</summary>
    public required string Kind { get; init; }

    /// <summary>The input of each run.</summary>
    public required JsonElement Input { get; init; }

    /// <summary>What the runs are about; runs can be listed by it.</summary>
    public string? Subject { get; init; }

    /// <summary>Cron with five fields, or six beginning with seconds. Either this or <see cref="Every"/>.</summary>
    public string? Cron { get; init; }

    /// <summary>From one nominal time to the next: whole seconds, 1 s to 366 days. The first is one interval after it was saved.</summary>
    public TimeSpan? Every { get; init; }

    /// <summary>IANA name of the zone in which <see cref="Cron"/> is read.</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>What becomes of times at which no node ran.</summary>
    public MisfirePolicy Misfire { get; init; }

    /// <summary>What happens when the run before has not ended.</summary>
    public OverlapPolicy Overlap { get; init; }

    /// <summary>Each run starts a random time later than its nominal time, up to this; shorter than the time between two of them.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>The priority of its runs.</summary>
    public RunPriority Priority { get; init; }
}

/// <summary>A schedule as it stands.</summary>
public record Schedule : ScheduleSettings
{
    /// <summary>For deserialisation.</summary>
    public Schedule() { }

    [SetsRequiredMembers]
    internal Schedule(ScheduleSettings settings) : base(settings) => (Next, Results) = ([], []);

    /// <summary>Identifier; part of the dedupe key of its runs.</summary>
    public Guid Id { get; init; }

    /// <summary>When it was first saved.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its settings were last changed.</summary>
    public DateTimeOffset ChangedAt { get; init; }

    /// <summary>Set while it is paused.</summary>
    public SchedulePause? Pause { get; init; }

    /// <summary>The next five nominal times, in the schedule's zone; those after the pause's end while it is paused, none when that has no end.</summary>
    public required IReadOnlyList<DateTimeOffset> Next { get; init; }

    /// <summary>What became of its last times, newest first, at most twenty.</summary>
    public required IReadOnlyList<ScheduleFiring> Results { get; init; }
}

/// <summary>A schedule with its audit.</summary>
public sealed record ScheduleDetails : Schedule
{
    /// <summary>For deserialisation.</summary>
    public ScheduleDetails() { }

    [SetsRequiredMembers]
    internal ScheduleDetails(Schedule schedule) : base(schedule) => Events = [];

    /// <summary>Who did what to it, newest first, at most a hundred; earlier schedules of this name included.</summary>
    public required IReadOnlyList<ScheduleEvent> Events { get; init; }
}

/// <summary>Why a schedule starts nothing at present.</summary>
/// <param name="Since">When it was paused.</param>
/// <param name="By">Who paused it.</param>
/// <param name="Reason">Why.</param>
/// <param name="Until">When it goes on by itself; null when somebody must resume it.</param>
public sealed record SchedulePause(DateTimeOffset Since, string By, string Reason, DateTimeOffset? Until);

/// <summary>One entry of a schedule's history.</summary>
public sealed record ScheduleFiring
{
    /// <summary>What became of it.</summary>
    public required FiringOutcome Outcome { get; init; }

    /// <summary>The nominal time, the first when there are several; null for a run that an operator asked for.</summary>
    public DateTimeOffset? NominalAt { get; init; }

    /// <summary>The last nominal time when there are several.</summary>
    public DateTimeOffset? LastNominalAt { get; init; }

    /// <summary>How many nominal times this entry stands for.</summary>
    public required int Times { get; init; }

    /// <summary>When it was decided.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary><c>engine</c>, or the operator who said "run now".</summary>
    public required string Who { get; init; }

    /// <summary>Why no run was started, in plain words.</summary>
    public string? Reason { get; init; }

    /// <summary>The run that was started.</summary>
    public Guid? RunId { get; init; }

    /// <summary>Where that run stands; null when there is none, or it has been removed since.</summary>
    public RunSummary? Run { get; init; }
}

/// <summary>One entry of a schedule's audit.</summary>
/// <param name="At">When.</param>
/// <param name="Who">An operator's name, or <c>engine</c>.</param>
/// <param name="What">One word: created, changed, removed, paused, resumed, started.</param>
/// <param name="Why">The reason given and what was changed, in plain words.</param>
public sealed record ScheduleEvent(DateTimeOffset At, string Who, string What, string? Why);
