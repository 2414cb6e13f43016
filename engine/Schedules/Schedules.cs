using Dapper;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>What operators see of schedules and do to them. Each action locks the schedule's row, acts and leaves a line in the audit, in one transaction.</summary>
internal sealed class Schedules(
    NpgsqlDataSource database, ScheduleTable table, ScheduleHistory history, ScheduleCheck check, ScheduleAlarm alarm, RunStarter starter, Text text, TimeProvider time) : ISchedules
{
    private const int ResultsShown = 20;
    private const int EventsShown = 100;
    private const int PreviewLimit = 100;
    private static readonly TimeSpan LongestPause = TimeSpan.FromDays(3650);
    private bool isRehearsal;

    public async Task<ScheduleDetails> Save(ScheduleSettings settings, string who, string? why = null, CancellationToken cancellationToken = default)
    {
        settings = settings with { Title = settings.Title is { } title ? Text.Storable(title) : null };
        check.Whole(settings);
        var saved = settings with { Input = Text.Json(settings.Input) };
        await Act(settings.Name, who, why, async (transaction, stored) =>
        {
            if (stored is null)
            {
                // Not there a moment ago; if it is now, somebody else has saved it, and ours comes after theirs.
                stored = await ScheduleSave.Create(transaction, saved) ? null : await ScheduleTable.Lock(transaction, saved.Name);
                if (stored is null)
                {
                    return new Done("created", null);
                }
            }

            return await ScheduleSave.Change(transaction, stored, saved) is { } changes ? new Done("changed", changes) : null;
        }, cancellationToken);
        return await Get(settings.Name, cancellationToken) ?? throw Unknown(settings.Name);
    }

    public Task Remove(string name, string who, string? why = null, CancellationToken cancellationToken = default) =>
        Act(name, who, why, async (transaction, stored) =>
        {
            await transaction.Connection!.ExecuteAsync("delete from engine.schedule where id = @Id", new { Known(stored, name).Id }, transaction);
            return new Done("removed", null);
        }, cancellationToken);

    public Task Pause(string name, string who, string reason, DateTimeOffset? until = null, CancellationToken cancellationToken = default)
    {
        if (string.IsNullOrWhiteSpace(reason))
        {
            throw new ArgumentException("A pause needs a reason: whoever finds the schedule paused will want to know.", nameof(reason));
        }

        return Act(name, who, reason, async (transaction, stored) =>
        {
            var schedule = Known(stored, name);
            if (until > schedule.Now + LongestPause)
            {
                throw new ScheduleActionException($"A pause of schedule '{name}' until {until:u} is longer than {LongestPause.TotalDays / 365:0} years. Leave the end away to pause it until somebody resumes it.");
            }

            if (until <= schedule.Now)
            {
                throw new ScheduleActionException($"The pause of schedule '{name}' would have ended at {until:u} already.");
            }

            await transaction.Connection!.ExecuteAsync("""
                update engine.schedule set version = version + 1, paused_at = now(), paused_by = @who, paused_why = @reason, paused_until = @until where id = @Id
                """, new { schedule.Id, who, reason = text.Summary(reason.Trim()), until = until?.ToUniversalTime() }, transaction);
            return new Done("paused", until is { } end ? $"Until {end.ToUniversalTime():u}." : null);
        }, cancellationToken);
    }

    public Task Resume(string name, string who, string? why = null, CancellationToken cancellationToken = default) =>
        Act(name, who, why, async (transaction, stored) =>
        {
            if (Known(stored, name).PausedAt is null)
            {
                throw new ScheduleActionException($"Schedule '{name}' is not paused.");
            }

            await ScheduleHistory.EndPause(transaction, stored!);
            return new Done("resumed", null);
        }, cancellationToken);

    public async Task<StartedRun> RunNow(string name, string who, string? why = null, string? dedupeKey = null, CancellationToken cancellationToken = default)
    {
        Identifiers.Require(who, nameof(who));
        Identifiers.Allow(name, nameof(name));
        var schedule = Known(await table.Read(name, cancellationToken), name);
        if (check.Unstartable(schedule.Kind, schedule.InputJson) is { } fault)
        {
            throw new ScheduleActionException($"Schedule '{name}' can start no run: {fault}");
        }

        try
        {
            var start = new StartRun { RequestedBy = who, Subject = schedule.Subject, DedupeKey = dedupeKey, KeyIfNone = schedule.QueueKey, Priority = schedule.Priority };
            Identifiers.Require(start);
            return await starter.Start(schedule.Kind, schedule.InputJson, start, within: async (transaction, run) =>
            {
                var locked = Known(await ScheduleTable.Lock(transaction, name), name);
                await ScheduleOverlap.Check(transaction, locked, run);
                await ScheduleHistory.Asked(transaction, locked, who, run);
                await ScheduleHistory.Audit(transaction, name, who, "started", text.Why(why, $"Run {run}."));
                if (isRehearsal)
                {
                    throw new RehearsalOver(new RehearsedSchedule("started", null));
                }
            }, cancellationToken: cancellationToken);
        }
        catch (OverlapException overlap)
        {
            throw new ScheduleActionException($"{overlap.Message} Wait for it or cancel it, or let the runs of '{name}' queue.");
        }
    }

    public async Task<ScheduleDetails?> Get(string name, CancellationToken cancellationToken = default)
    {
        Identifiers.Allow(name, nameof(name));
        return await table.Read(name, cancellationToken) is { } row
            ? new ScheduleDetails((await View([row], cancellationToken))[0]) { Events = await history.Events(name, EventsShown, cancellationToken) }
            : null;
    }

    public async Task<IReadOnlyList<Schedule>> List(CancellationToken cancellationToken = default) =>
        await View(await table.All(cancellationToken), cancellationToken);

    public IReadOnlyList<DateTimeOffset> Preview(ScheduleSettings settings, int count = 5)
    {
        if (count is < 1 or > PreviewLimit)
        {
            throw new ArgumentOutOfRangeException(nameof(count), count, $"A preview has 1 to {PreviewLimit} times.");
        }

        check.Timing(settings);
        var timing = new ScheduleTiming(settings.Cron, settings.Every, settings.TimeZone);
        return timing.Next(timing.First(time.GetUtcNow()), count);
    }

    public async Task<RehearsedSchedule?> Rehearse(Func<ISchedules, Task> act)
    {
        try
        {
            await act(new Schedules(database, table, history, check, alarm, starter, text, time) { isRehearsal = true });
            return null;
        }
        catch (RehearsalOver over)
        {
            return over.Outcome;
        }
    }

    private sealed record Done(string What, string? Detail);

    /// <summary>All is decided: what was written goes back with its transaction.</summary>
    private sealed class RehearsalOver(RehearsedSchedule outcome) : Exception
    {
        public RehearsedSchedule Outcome => outcome;
    }

    private async Task<IReadOnlyList<Schedule>> View(IReadOnlyList<ScheduleRow> rows, CancellationToken cancellationToken)
    {
        var results = await history.Latest(rows.Select(r => r.Id), ResultsShown, cancellationToken);
        return [.. rows.Select(r => r.View([.. results[r.Id]]))];
    }

    private async Task Act(string name, string who, string? why, Func<NpgsqlTransaction, ScheduleRow?, Task<Done?>> act, CancellationToken cancellationToken)
    {
        Identifiers.Require(who, nameof(who));
        Identifiers.Allow(name, nameof(name));
        await using (var connection = await database.OpenFresh(cancellationToken))
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await EngineDatabase.LetGoWhenFrozen(transaction);
            if (await act(transaction, await ScheduleTable.Lock(transaction, name)) is not { } done)
            {
                return;
            }

            await ScheduleHistory.Audit(transaction, name, who, done.What, text.Why(why, done.Detail));
            if (isRehearsal)
            {
                throw new RehearsalOver(new RehearsedSchedule(done.What, done.Detail));
            }

            await transaction.CommitAsync(cancellationToken);
        }

        alarm.Set(name);
    }

    private static ScheduleRow Known(ScheduleRow? schedule, string name) => schedule ?? throw Unknown(name);

    private static ScheduleActionException Unknown(string name) => new($"There is no schedule '{name}'.");
}
