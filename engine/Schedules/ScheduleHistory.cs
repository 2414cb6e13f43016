using Dapper;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>What becomes of a nominal time, on its way into the history.</summary>
internal sealed record Firing(string Outcome, DateTimeOffset First, DateTimeOffset Last, int Times, string? Reason, Guid? RunId = null);

/// <summary>Somebody else has fired this time, or an operator has changed the schedule since it was read.</summary>
internal sealed class OvertakenException : Exception;

/// <summary>
/// Moves a schedule on to its next time and writes what became of the last: one statement or one transaction, which counts only when the schedule still
/// stands where it was read. So a nominal time is decided once, by whichever node comes first.
/// </summary>
internal sealed class ScheduleHistory(NpgsqlDataSource database, RunReader runs)
{
    /// <summary>Entries kept of each schedule; one whose run has not ended stays beyond that.</summary>
    public const int Kept = 200;

    // Rows that say the same of the next time become one: a schedule of every second beside a long run would push everything else out.
    private const string MoveAndNote = """
        with moved as (
            update engine.schedule set next_at = @next, due_at = @due where id = @Id and version = @Version and next_at = @NextAt returning id),
        same as (
            update engine.schedule_firing f set last_nominal_at = @Last, times = f.times + @Times, at = clock_timestamp()
            where f.id = (select l.id from engine.schedule_firing l where l.schedule_id = @Id order by l.id desc limit 1)
              and f.outcome = @Outcome and f.outcome in ('skipped', 'refused') and f.reason = @Reason and exists (select from moved)
            returning f.id),
        added as (
            insert into engine.schedule_firing (schedule_id, outcome, nominal_at, last_nominal_at, times, who, run_id, reason)
            select id, @Outcome, @First, @Last, @Times, 'engine', @RunId, @Reason from moved where not exists (select from same)
            on conflict (schedule_id, nominal_at) where outcome = 'started' do nothing)
        select count(*) from moved;
        """;

    private const string Trim = """
        delete from engine.schedule_firing f
        where f.schedule_id = @Id and f.id < (select l.id from engine.schedule_firing l where l.schedule_id = @Id order by l.id desc offset @Kept - 1 limit 1)
          and not exists (select from engine.run r where r.id = f.run_id and r.state in ('queued', 'running', 'waiting', 'paused'));
        """;

    /// <summary>Within a transaction of the caller.</summary>
    /// <exception cref="OvertakenException">Nothing was written.</exception>
    public static async Task Move(NpgsqlTransaction transaction, ScheduleRow schedule, Firing firing, DateTimeOffset? next, DateTimeOffset? due)
    {
        var moved = await transaction.Connection!.ExecuteScalarAsync<long>(MoveAndNote + Trim, new
        {
            schedule.Id, schedule.Version, schedule.NextAt, next, due, firing.Outcome, firing.First, firing.Last, firing.Times, firing.Reason, firing.RunId, Kept,
        }, transaction);
        if (moved == 0)
        {
            throw new OvertakenException();
        }
    }

    /// <summary>In a transaction of its own; does nothing when somebody else was first.</summary>
    public async Task TryMove(ScheduleRow schedule, Firing firing, DateTimeOffset? next, DateTimeOffset? due)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await EngineDatabase.LetGoWhenFrozen(transaction);
        try
        {
            await Move(transaction, schedule, firing, next, due);
            await transaction.CommitAsync();
        }
        catch (OvertakenException)
        {
            await transaction.RollbackAsync();
        }
    }

    /// <summary>A run that an operator asked for: it belongs to the history and moves nothing.</summary>
    public static Task Asked(NpgsqlTransaction transaction, ScheduleRow schedule, string who, Guid runId) => transaction.Connection!.ExecuteAsync(
        "insert into engine.schedule_firing (schedule_id, outcome, who, run_id) values (@Id, 'started', @who, @runId);" + Trim,
        new { schedule.Id, who, runId, Kept }, transaction);

    /// <summary>Ends the pause of a locked schedule: it goes on with the first time after the end, and the history says what passed before.</summary>
    public static async Task EndPause(NpgsqlTransaction transaction, ScheduleRow schedule)
    {
        // A time that is the end of the pause itself belongs to what comes after.
        var end = schedule.PauseIsOver ? schedule.PausedUntil!.Value - TimeSpan.FromMicroseconds(1) : schedule.Now;
        var timing = schedule.Timing;
        var next = schedule.NextAt is { } at ? timing.After(at, end) : null;
        if (schedule.NextAt is { } first && first <= end)
        {
            var passed = timing.Passed(first, end, 1);
            var reason = $"Paused by {schedule.PausedBy}: {schedule.PausedWhy!.TrimEnd('.')}." + (passed.Counted ? "" : " There were more of them than are counted.");
            await Move(transaction, schedule, new Firing("skipped", first, passed.Latest[^1], passed.Count, reason), next, null);
        }

        await transaction.Connection!.ExecuteAsync("""
            update engine.schedule set version = version + 1, paused_at = null, paused_by = null, paused_why = null, paused_until = null, next_at = @next, due_at = @due
            where id = @Id
            """, new { schedule.Id, next, due = ScheduleRow.Due(next, schedule.Jitter) }, transaction);
    }

    /// <summary>Ends a pause whose time has come, unless somebody else has.</summary>
    public async Task TryEndPause(string name)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await EngineDatabase.LetGoWhenFrozen(transaction);
        if (await ScheduleTable.Lock(transaction, name) is { PauseIsOver: true } schedule)
        {
            await EndPause(transaction, schedule);
            await Audit(transaction, name, "engine", "resumed", "The pause has come to its end.");
            await transaction.CommitAsync();
        }
    }

    public static Task Audit(NpgsqlTransaction transaction, string name, string who, string what, string? why) => transaction.Connection!.ExecuteAsync(
        "insert into engine.schedule_event (name, who, what, why) values (@name, @who, @what, @why)", new { name, who, what, why }, transaction);

    /// <summary>The latest entries of each schedule, newest first, with their runs.</summary>
    public async Task<ILookup<Guid, ScheduleFiring>> Latest(IEnumerable<Guid> schedules, int each, CancellationToken cancellationToken)
    {
        List<FiringRow> rows;
        await using (var connection = await database.OpenFresh(cancellationToken))
        {
            rows = [.. await connection.QueryAsync<FiringRow>("""
                select s.id as ScheduleId, f.outcome, f.nominal_at as NominalAt, f.last_nominal_at as LastNominalAt, f.times, f.at, f.who, f.run_id as RunId, f.reason
                from unnest(@ids) as s (id),
                     lateral (select * from engine.schedule_firing l where l.schedule_id = s.id order by l.id desc limit @each) f
                order by s.id, f.id desc
                """, new { ids = schedules.ToArray(), each })];
        }

        var found = (await runs.Get([.. rows.Select(r => r.RunId).OfType<Guid>()], cancellationToken)).ToDictionary(r => r.Id);
        return rows.ToLookup(r => r.ScheduleId, r => r.View(r.RunId is { } id ? found.GetValueOrDefault(id) : null));
    }

    public async Task<IReadOnlyList<ScheduleEvent>> Events(string name, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenFresh(cancellationToken);
        var rows = await connection.QueryAsync<(DateTime At, string Who, string What, string? Why)>(
            "select at, who, what, why from engine.schedule_event where name = @name order by id desc limit @limit", new { name, limit });
        return [.. rows.Select(e => new ScheduleEvent(e.At, e.Who, e.What, e.Why))];
    }

    private sealed record FiringRow
    {
        public required Guid ScheduleId { get; init; }
        public required string Outcome { get; init; }
        public DateTimeOffset? NominalAt { get; init; }
        public DateTimeOffset? LastNominalAt { get; init; }
        public required int Times { get; init; }
        public required DateTimeOffset At { get; init; }
        public required string Who { get; init; }
        public Guid? RunId { get; init; }
        public string? Reason { get; init; }

        public ScheduleFiring View(RunSummary? run) => new()
        {
            Outcome = Enum.Parse<FiringOutcome>(Outcome, ignoreCase: true),
            NominalAt = NominalAt,
            LastNominalAt = LastNominalAt == NominalAt ? null : LastNominalAt,
            Times = Times,
            At = At,
            Who = Who,
            Reason = Reason,
            RunId = RunId,
            Run = run,
        };
    }
}
