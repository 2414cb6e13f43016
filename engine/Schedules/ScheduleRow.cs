using System.Text.Json;

namespace ManagedServers.Engine;

/// <summary>A schedule as it is stored, and the database's time at which it was read.</summary>
internal sealed record ScheduleRow
{
    public const string Columns = """
        s.id, s.name, s.title, s.kind, s.input, s.subject, s.cron, s.every, s.time_zone as TimeZone, s.misfire, s.overlap, s.jitter, s.priority, s.version,
        s.next_at as NextAt, s.due_at as DueAt, s.paused_at as PausedAt, s.paused_by as PausedBy, s.paused_why as PausedWhy, s.paused_until as PausedUntil,
        s.created_at as CreatedAt, s.changed_at as ChangedAt, now() as Now
        """;

    public const string QueueKeyPrefix = "schedule:";

    private const int TimesShown = 5;

    public required Guid Id { get; init; }
    public required string Name { get; init; }
    public string? Title { get; init; }
    public required string Kind { get; init; }
    public required string Input { get; init; }
    public string? Subject { get; init; }
    public string? Cron { get; init; }
    public TimeSpan? Every { get; init; }
    public required string TimeZone { get; init; }
    public required string Misfire { get; init; }
    public required string Overlap { get; init; }
    public required TimeSpan Jitter { get; init; }
    public required RunPriority Priority { get; init; }
    public required int Version { get; init; }
    public DateTimeOffset? NextAt { get; init; }
    public DateTimeOffset? DueAt { get; init; }
    public DateTimeOffset? PausedAt { get; init; }
    public string? PausedBy { get; init; }
    public string? PausedWhy { get; init; }
    public DateTimeOffset? PausedUntil { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset ChangedAt { get; init; }
    public required DateTimeOffset Now { get; init; }

    public ScheduleTiming Timing => new(Cron, Every, TimeZone);

    public MisfirePolicy MisfirePolicy => Enum.Parse<MisfirePolicy>(Misfire, ignoreCase: true);

    public OverlapPolicy OverlapPolicy => Enum.Parse<OverlapPolicy>(Overlap, ignoreCase: true);

    public JsonElement InputJson => JsonSerializer.Deserialize<JsonElement>(Input);

    public bool PauseIsOver => PausedUntil <= Now;

    /// <summary>Held by its runs one after another when they are to queue and their plan names no key of its own.</summary>
    public string? QueueKey => OverlapPolicy == OverlapPolicy.Queue ? QueueKeyPrefix + Name : null;

    /// <summary>When a nominal time's run is to start: a random part of the jitter later.</summary>
    public static DateTimeOffset? Due(DateTimeOffset? nominal, TimeSpan jitter) => nominal + (jitter * Random.Shared.NextDouble());

    public ScheduleSettings Settings() => new()
    {
        Name = Name,
        Title = Title,
        Kind = Kind,
        Input = InputJson,
        Subject = Subject,
        Cron = Cron,
        Every = Every,
        TimeZone = TimeZone,
        Misfire = MisfirePolicy,
        Overlap = OverlapPolicy,
        Jitter = Jitter,
        Priority = Priority,
    };

    public Schedule View(IReadOnlyList<ScheduleFiring> results) => new(Settings())
    {
        Id = Id,
        CreatedAt = CreatedAt,
        ChangedAt = ChangedAt,
        Pause = PausedAt is { } since ? new SchedulePause(since, PausedBy!, PausedWhy!, PausedUntil) : null,
        Next = Next(),
        Results = results,
    };

    private IReadOnlyList<DateTimeOffset> Next()
    {
        if (NextAt is not { } next || (PausedAt is not null && PausedUntil is null))
        {
            return [];
        }

        // Of a time that is past, but waits for its part of the jitter, the run is still to come.
        var from = PausedUntil > Now ? PausedUntil.Value - TimeSpan.FromTicks(1) : Now;
        return Timing.Next(next > from || (PausedAt is null && DueAt > Now) ? next : Timing.After(next, from), TimesShown);
    }
}
