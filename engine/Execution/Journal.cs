using System.Text.Json;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NpgsqlTypes;

namespace ManagedServers.Engine;

/// <summary>How an attempt ended.</summary>
internal sealed record AttemptEnd
{
    public required int Seq { get; init; }
    public required int Direction { get; init; }
    public required int Attempt { get; init; }
    public required string State { get; init; }
    public JsonElement? Output { get; init; }
    public bool? Changed { get; init; }
    public string? Summary { get; init; }
    public string? Error { get; init; }

    /// <summary>Until the next try; null when there is none by itself.</summary>
    public TimeSpan? Wait { get; init; }

    /// <summary>The signal that ended a wait: it is taken with the end.</summary>
    public long? Signal { get; init; }
}

/// <summary>An attempt that begins; or, skipped, a step that is passed over; or, waiting, one that waits at most so long.</summary>
internal sealed record AttemptStart(int Seq, int Direction, int Attempt, int Try, JsonElement? Input, string State = "running", string? Summary = null, TimeSpan? Wait = null);

/// <summary>How a run leaves its node, and when it goes on by itself. With more wake-ups by now than its owner knows of, it does not go to sleep. Heeded: also with a cancel, about which what could be done was done. LeavesWork: a step that did not let go is still at work here.</summary>
internal sealed record Departure(string State, string? Reason, TimeSpan? Due = null, int? Wakes = null, bool Heeded = false, bool LeavesWork = false);

/// <summary>Where the run stands after a statement.</summary>
internal sealed record Position
{
    public required int Direction { get; init; }
    public required int Cursor { get; init; }
    public required int Done { get; init; }
    public required int Changed { get; init; }
    public string? Failure { get; init; }
}

/// <summary>An entry for the run's audit.</summary>
internal sealed record Note(string What, string? Why, string Who = "engine");

/// <summary>The owner's answer: still ours, and whether somebody cancels it.</summary>
internal sealed record Held(bool Ours, string? CancelMode, string? CancelBy, string? CancelWhy)
{
    public static Held NotOurs { get; } = new(false, null, null, null);

    /// <summary>Its kind was paused: no attempt was begun.</summary>
    public bool KindPaused { get; init; }

    /// <summary>Somebody cancels it, and not only its way forward when it is on the way back: no attempt was begun.</summary>
    public bool Cancelled { get; init; }

    /// <summary>Who can go on because of it, the run itself included.</summary>
    public IReadOnlyList<QueuedRun> Next { get; init; } = [];
}

/// <summary>
/// Writes the journal. Each method is one statement that updates the run under its fence and the attempts with it, so a node that
/// has lost the run writes nothing. All may be repeated after a lost answer: the second time changes nothing.
/// </summary>
internal sealed class Journal([FromKeyedServices(EngineDatabase.HotKey)] NpgsqlDataSource database, NodeIdentity node)
{
    /// <summary>The run goes on: an attempt ended, another begins, or both.</summary>
    public async Task<Held> Advance(LiveRun run, Position position, AttemptEnd? end, AttemptStart? start, string? reason = null, Note? note = null)
    {
        await using var connection = await database.OpenConnectionAsync();
        var held = await connection.QuerySingleOrDefaultAsync<(string? Mode, string? By, string? Why, bool KindPaused, bool Cancelled)?>($"""
            with owned as (
                update engine.run set cursor = @Cursor, direction = @Direction, steps_done = @Done, steps_changed = @Changed, failure = @Failure, reason = @reason,
                       recoveries_in_row = case when @progress then 0 else recoveries_in_row end
                where id = @Id and fence = @Fence and state = 'running'
                returning id, claimed_at, cancel_mode, cancel_by, cancel_why, @Direction > 0 and exists (select from engine.control c where c.kind = run.kind and c.paused_by is not null) as kind_paused,
                          cancel_mode is not null and not (cancel_mode = 'Undo' and @Direction < 0) as cancelled),
            {Ended}{(end?.Signal is null ? "" : Taken)},
            begun as (
                insert into engine.step (run_id, seq, direction, attempt, try, state, fence, node, input, summary, finished_at, next_try_at)
                select id, @startSeq, @startDirection, @startAttempt, @startTry, @startState, @Fence, @Name, @startInput::json, @startSummary,
                       case when @startState not in ('running', 'waiting') then now() end, now() + @startWait
                from owned where @startSeq is not null and (@startState = 'skipped' or not (kind_paused or cancelled))
                on conflict do nothing){(note is null ? "" : NotedOnce)}
            select cancel_mode, cancel_by, cancel_why, kind_paused, cancelled from owned
            """, Parameters(run, position, end, start, reason, note));
        return held is { } h ? new Held(true, h.Mode, h.By, h.Why) { KindPaused = h.KindPaused, Cancelled = h.Cancelled } : Held.NotOurs;
    }

    /// <summary>
    /// The run leaves this node: it ended, waits, pauses or is queued again. Frees what it held and tells who can go on: the next in line for its key
    /// and, where the kind has a limit, of its kind; its parent. A run that somebody cancels does not succeed, fail, pause or go to sleep before that was
    /// heeded: the answer is that it is still ours, with the cancel.
    /// </summary>
    public async Task<Held> Leave(LiveRun run, ClaimedRun claimed, Position position, AttemptEnd? end, Departure departure, Note? note)
    {
        await using var connection = await database.OpenConnectionAsync();
        // The row of one that lets go of a key is locked first, so that the second statement sees every child that was started beneath it: see RunStarter.
        var letsGo = claimed.ExclusiveKey is not null && RunRow.HasEnded(departure.State);
        var parameters = Parameters(run, position, end, null, departure.Reason, note);
        parameters.Add("state", NpgsqlDbType.Text, departure.State);
        parameters.Add("due", NpgsqlDbType.Interval, departure.Due);
        parameters.Add("wakes", NpgsqlDbType.Integer, departure.Wakes);
        parameters.Add("heeded", NpgsqlDbType.Boolean, departure.Heeded);
        parameters.Add("left", NpgsqlDbType.Uuid, departure.LeavesWork ? node.Incarnation : null);
        var answers = await connection.QueryMultipleAsync($"""
            {(letsGo ? "select true from engine.run where id = @Id and fence = @Fence for no key update;" : "")}
            with owned as (
                update engine.run set cursor = @Cursor, direction = @Direction, steps_done = @Done, steps_changed = @Changed, failure = @Failure, reason = @reason,
                       recoveries_in_row = case when @progress then 0 else recoveries_in_row end,
                       state = case when wakes > @wakes then 'queued' else @state end,
                       due_at = case when wakes > @wakes then null else now() + @due end,
                       owner = null, incarnation = null, lease_until = null, left_by = @left, left_on = case when @left is not null then @Name end,
                       worked = worked + (now() - claimed_at), claimed_at = null, job_id = case when @state in ('paused', 'failed') then job_id end, job_at = now(),
                       finished_at = case when @state in ('succeeded', 'failed', 'cancelled') then now() end,
                       holds_key = holds_key and (@state not in ('succeeded', 'failed', 'cancelled') or {Successors.KeyIsShared})
                where id = @Id and fence = @Fence and state = 'running' and (cancel_mode is null or @heeded or @state in ('cancelled', 'queued') or (cancel_mode = 'Undo' and @Direction < 0))
                returning id, state, kind, queue, exclusive_key, holds_key, parent, parent_seq),
            {Ended}{(end?.Signal is null ? "" : Taken)},
            {Noted},
            {(claimed.Parent is null ? NoParent : Successors.Told)},
            cleared as (delete from engine.progress where run_id in (select id from owned)),
            next as (
                select id, queue from owned where state = 'queued'
                union all select * from told
                union all {Successors.NextOfKey}
                {(claimed.Limited ? $"union all {Successors.NextOfKind}" : "")})
            select o.state, n.id, n.queue from owned o left join next n on true
            """, parameters);
        if (letsGo)
        {
            await answers.ReadAsync();
        }

        var left = (await answers.ReadAsync<(string State, Guid? Next, string? Queue)>()).AsList();
        return left.Count == 0
            ? await Look(connection, run)
            : Held.NotOurs with { Next = [.. left.Where(l => l.Next is not null).Select(l => new QueuedRun(l.Next!.Value, l.Queue!)).Distinct()] };
    }

    /// <summary>The run pauses where it stands, with an attempt or a wait under way counted as interrupted, so that a retry begins anew. Answers who can go on by that; null when the run is not ours.</summary>
    public async Task<IReadOnlyList<QueuedRun>?> GiveUp(LiveRun run, string why)
    {
        await using var connection = await database.OpenConnectionAsync();
        var left = (await connection.QueryAsync<(Guid Run, Guid? Next, string? Queue)>($"""
            with owned as (
                update engine.run set state = 'paused', reason = @why, owner = null, incarnation = null, lease_until = null,
                       worked = worked + (now() - claimed_at), claimed_at = null, job_at = now()
                where id = @Id and fence = @Fence and state = 'running' returning id, state, parent, parent_seq),
            interrupted as (
                update engine.step s set state = 'interrupted', finished_at = now(), next_try_at = null, error = @why from owned o where s.run_id = o.id and s.state in ('running', 'waiting')),
            {Successors.Told},
            noted as (insert into engine.event (run_id, who, what, why) select id, 'engine', 'paused', @why from owned)
            select o.id, t.id, t.queue from owned o left join told t on true
            """, new { run.Id, run.Fence, why })).AsList();
        return left.Count == 0 ? null : [.. left.Where(l => l.Next is not null).Select(l => new QueuedRun(l.Next!.Value, l.Queue!))];
    }

    /// <summary>The new plan after a deploy, when what was done fits it.</summary>
    public async Task<bool> Replan(LiveRun run, int version, PlanSnapshot plan)
    {
        await using var connection = await database.OpenConnectionAsync();
        return await connection.ExecuteAsync("""
            update engine.run set version = @version, plan = @plan::json, steps_total = @total where id = @Id and fence = @Fence and state = 'running'
            """, new { run.Id, run.Fence, version, plan = JsonSerializer.Serialize(plan, EngineJson.Options), total = plan.Steps.Count }) == 1;
    }

    /// <summary>All attempts of a run, oldest first.</summary>
    public async Task<IReadOnlyList<AttemptRow>> Read(Guid id)
    {
        await using var connection = await database.OpenConnectionAsync();
        return [.. await AttemptRow.Read(connection, id)];
    }

    /// <summary>Whether the run is ours and somebody cancels it.</summary>
    public async Task<Held> Look(LiveRun run)
    {
        await using var connection = await database.OpenConnectionAsync();
        return await Look(connection, run);
    }

    private static async Task<Held> Look(NpgsqlConnection connection, LiveRun run) =>
        await connection.QuerySingleOrDefaultAsync<(string Mode, string? By, string? Why)?>("""
            select cancel_mode, cancel_by, cancel_why from engine.run where id = @Id and fence = @Fence and state = 'running' and cancel_mode is not null
            """, new { run.Id, run.Fence }) is { } cancel
            ? new Held(true, cancel.Mode, cancel.By, cancel.Why)
            : Held.NotOurs;

    private const string Ended = """
        ended as (
            update engine.step set state = @endState, output = @endOutput::json, changed = @endChanged, summary = @endSummary, error = @endError,
                   finished_at = now(), next_try_at = now() + @endWait
            where run_id = @Id and seq = @endSeq and direction = @endDirection and attempt = @endAttempt and exists (select from owned))
        """;

    private const string Taken = """
        , taken as (update engine.signal set taken_at = now() where id = @endSignal and exists (select from owned))
        """;

    private const string NotedOnce = """
        , noted as (
            insert into engine.event (run_id, who, what, why) select id, @noteWho, @noteWhat, @noteWhy from owned
            where not exists (select from engine.event e where e.run_id = owned.id and e.who = @noteWho and e.what = @noteWhat and e.at >= claimed_at))
        """;

    private const string NoParent = "told as (select null::uuid as id, null::text as queue where false)";

    private const string Noted = """
        noted as (insert into engine.event (run_id, who, what, why) select id, @noteWho, @noteWhat, @noteWhy from owned where @noteWhat is not null)
        """;

    private TypedParameters Parameters(LiveRun run, Position position, AttemptEnd? end, AttemptStart? start, string? reason, Note? note) => new()
    {
        { "Id", NpgsqlDbType.Uuid, run.Id },
        { "Fence", NpgsqlDbType.Bigint, run.Fence },
        { "Name", NpgsqlDbType.Text, node.Name },
        { "Cursor", NpgsqlDbType.Integer, position.Cursor },
        { "Direction", NpgsqlDbType.Integer, position.Direction },
        { "Done", NpgsqlDbType.Integer, position.Done },
        { "Changed", NpgsqlDbType.Integer, position.Changed },
        { "Failure", NpgsqlDbType.Text, position.Failure },
        { "reason", NpgsqlDbType.Text, reason },
        { "progress", NpgsqlDbType.Boolean, end?.State == "succeeded" },
        { "endSeq", NpgsqlDbType.Integer, end?.Seq },
        { "endDirection", NpgsqlDbType.Integer, end?.Direction },
        { "endAttempt", NpgsqlDbType.Integer, end?.Attempt },
        { "endState", NpgsqlDbType.Text, end?.State },
        { "endOutput", NpgsqlDbType.Text, end?.Output?.GetRawText() },
        { "endChanged", NpgsqlDbType.Boolean, end?.Changed },
        { "endSummary", NpgsqlDbType.Text, end?.Summary },
        { "endError", NpgsqlDbType.Text, end?.Error },
        { "endWait", NpgsqlDbType.Interval, end?.Wait },
        { "endSignal", NpgsqlDbType.Bigint, end?.Signal },
        { "startSeq", NpgsqlDbType.Integer, start?.Seq },
        { "startDirection", NpgsqlDbType.Integer, start?.Direction },
        { "startAttempt", NpgsqlDbType.Integer, start?.Attempt },
        { "startTry", NpgsqlDbType.Integer, start?.Try },
        { "startState", NpgsqlDbType.Text, start?.State },
        { "startInput", NpgsqlDbType.Text, start?.Input?.GetRawText() },
        { "startSummary", NpgsqlDbType.Text, start?.Summary },
        { "startWait", NpgsqlDbType.Interval, start?.Wait },
        { "noteWho", NpgsqlDbType.Text, note?.Who },
        { "noteWhat", NpgsqlDbType.Text, note?.What },
        { "noteWhy", NpgsqlDbType.Text, note?.Why },
    };
}
