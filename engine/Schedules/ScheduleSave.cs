using Dapper;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>Writes checked settings of a schedule.</summary>
internal static class ScheduleSave
{
    /// <summary>False: there is one of that name.</summary>
    public static async Task<bool> Create(NpgsqlTransaction transaction, ScheduleSettings settings)
    {
        var now = await Now(transaction);
        return await transaction.Connection!.ExecuteAsync("""
            insert into engine.schedule (id, name, title, kind, input, subject, cron, every, time_zone, misfire, overlap, jitter, priority, next_at, due_at)
            values (@Id, @Name, @Title, @Kind, @Input::json, @Subject, @Cron, @Every, @TimeZone, @Misfire, @Overlap, @Jitter, @Priority, @next, @due)
            on conflict (name) do nothing
            """, Values(Guid.CreateVersion7(now), settings, First(settings, now)), transaction) == 1;
    }

    /// <summary>What was changed, in words; null when nothing was.</summary>
    public static async Task<string?> Change(NpgsqlTransaction transaction, ScheduleRow stored, ScheduleSettings settings)
    {
        var changes = Changes(stored.Settings(), settings).ToList();
        if (changes.Count == 0)
        {
            return null;
        }

        var sameTimes = (stored.Cron, stored.Every, stored.TimeZone) == (settings.Cron, settings.Every, settings.TimeZone);
        await transaction.Connection!.ExecuteAsync("""
            update engine.schedule set version = version + 1, changed_at = now(), title = @Title, kind = @Kind, input = @Input::json, subject = @Subject,
                   cron = @Cron, every = @Every, time_zone = @TimeZone, misfire = @Misfire, overlap = @Overlap, jitter = @Jitter, priority = @Priority, next_at = @next, due_at = @due
            where id = @Id
            """, Values(stored.Id, settings, sameTimes ? stored.NextAt : First(settings, stored.Now)), transaction);
        return string.Join(' ', changes);
    }

    private static DynamicParameters Values(Guid id, ScheduleSettings settings, DateTimeOffset? next) => new(new
    {
        Id = id,
        settings.Name,
        settings.Title,
        settings.Kind,
        Input = settings.Input.GetRawText(),
        settings.Subject,
        settings.Cron,
        settings.Every,
        settings.TimeZone,
        Misfire = EngineJson.Word(settings.Misfire),
        Overlap = EngineJson.Word(settings.Overlap),
        settings.Jitter,
        Priority = (int)settings.Priority,
        next,
        due = ScheduleRow.Due(next, settings.Jitter),
    });

    private static DateTimeOffset? First(ScheduleSettings settings, DateTimeOffset now) =>
        new ScheduleTiming(settings.Cron, settings.Every, settings.TimeZone).First(now);

    private static async Task<DateTimeOffset> Now(NpgsqlTransaction transaction) =>
        new(await transaction.Connection!.ExecuteScalarAsync<DateTime>("select now()", transaction: transaction), TimeSpan.Zero);

    private static IEnumerable<string> Changes(ScheduleSettings from, ScheduleSettings to)
    {
        var fields = new (string Name, object? From, object? To)[]
        {
            ("Title", from.Title, to.Title), ("Kind", from.Kind, to.Kind), ("Subject", from.Subject, to.Subject), ("Cron", from.Cron, to.Cron),
            ("Interval", from.Every, to.Every), ("Time zone", from.TimeZone, to.TimeZone), ("Misfire", from.Misfire, to.Misfire),
            ("Overlap", from.Overlap, to.Overlap), ("Jitter", from.Jitter, to.Jitter), ("Priority", from.Priority, to.Priority),
        };
        foreach (var (name, before, after) in fields)
        {
            if (!Equals(before, after))
            {
                yield return $"{name}: {before ?? "none"} → {after ?? "none"}.";
            }
        }

        if (from.Input.GetRawText() != to.Input.GetRawText())
        {
            yield return "Input changed.";
        }
    }
}
