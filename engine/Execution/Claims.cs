using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>A run as it was claimed.</summary>
internal sealed record ClaimedRun
{
    public required Guid Id { get; init; }
    public required string Kind { get; init; }
    public required int Version { get; init; }
    public required string Title { get; init; }
    public required string Plan { get; init; }
    public required string Input { get; init; }
    public required string RequestedBy { get; init; }
    public required int Priority { get; init; }
    public Guid? Parent { get; init; }
    public string? ExclusiveKey { get; init; }

    /// <summary>Its kind has a limit: who leaves makes room for the next.</summary>
    public bool Limited { get; init; }
    public required short Direction { get; init; }
    public required int Cursor { get; init; }
    public required long Fence { get; init; }

    /// <summary>Nothing is journalled yet.</summary>
    public required bool IsFirst { get; init; }
    public required long LogSeq { get; init; }

    /// <summary>By the database's clock.</summary>
    public required DateTimeOffset ClaimedAt { get; init; }
    public required TimeSpan Worked { get; init; }
    public string? Failure { get; init; }
    public string? CancelMode { get; init; }
    public string? CancelBy { get; init; }
    public string? CancelWhy { get; init; }
}

/// <summary>Answers whether this node may execute a run now. A job that is delivered twice gets one yes.</summary>
internal sealed class Claims([FromKeyedServices(EngineDatabase.HotKey)] NpgsqlDataSource database, WorkflowCatalog catalog, NodeIdentity node, EngineOptions options)
{
    // Any number will do as long as nobody else uses it; "mslm" in ASCII. The second key is made from the kind.
    private const int LimitLock = 0x6D736C6D;

    /// <summary>Part of a statement: what the run <c>r</c> is told by the node <c>@Name</c>, which cannot execute it.</summary>
    public const string UnknownKind = "'Node ' || @Name || ' knows no workflow ' || r.kind || ', and waits for one that does: deploy the version that has it, or cancel the run.'";

    // Part of a statement, about the run r: another process is alive in which a step of it did not let go.
    private const string LeftElsewhere = "(r.left_by <> @Incarnation and exists (select from engine.node n where n.name = r.left_on and n.incarnation = r.left_by and n.stopped_at is null and n.seen_at > now() - @Lease))";

    private const string StillAtWork = "'A step of this run that did not let go is still at work on node ' || coalesce(r.left_on, @Name) || '. It goes on when that has ended.'";

    // What another node knows, it leaves to that one.
    private readonly string[] kinds = [.. catalog.Kinds];

    /// <summary>The run under a new fence, or null: already running, ended, not due, its key is in other hands, its kind paused or at its limit, or others are before it.</summary>
    public async Task<ClaimedRun?> Take(Guid id, string jobId)
    {
        // A key may be freed between our refusal and the note of it; then nobody would wake us. So: look again.
        for (var look = 0; look < 3; look++)
        {
            try
            {
                return await Claim(id, jobId) ?? await NotNow(id, jobId);
            }
            catch (PostgresException e) when (e is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "run_exclusive" })
            {
                if (await IsBehindAnother(id))
                {
                    return null;
                }
            }
        }

        return null;
    }

    /// <summary>Not here, and not now: another node may take it, or this one later; the pump asks again.</summary>
    public async Task LayAside(Guid id)
    {
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync($"""
            update engine.run r set job_id = null, job_at = now(), reason = {StillAtWork}
            where r.id = @id and state in ('queued', 'waiting')
            """, new { id, node.Name });
    }

    private async Task<ClaimedRun?> Claim(Guid id, string jobId)
    {
        await using var connection = await database.OpenConnectionAsync();
        return await connection.QuerySingleOrDefaultAsync<ClaimedRun>(Statement("c.at_once is not null"), Parameters(id, jobId));
    }

    /// <summary>One at a time for a kind that has a limit, so that what is counted stays true until it is taken.</summary>
    private async Task<ClaimedRun?> ClaimWithinLimit(Guid id, string jobId, string kind)
    {
        await using var connection = await database.OpenConnectionAsync();
        // Sent as one: a process that is frozen in between holds the lock from nobody.
        var answers = await connection.QueryMultipleAsync(
            "select true from pg_advisory_xact_lock(@LimitLock, hashtext(@kind)); " + Statement($"c.at_once is not null and (c.at_once <= (select count(*) from engine.run o where o.kind = c.kind and o.state = 'running') or {Successors.IsBehindOfKind})"),
            Parameters(id, jobId, kind));
        await answers.ReadAsync();
        return (await answers.ReadAsync<ClaimedRun>()).SingleOrDefault() is { } claimed ? claimed with { Limited = true } : null;
    }

    // full is a condition of ours, never data: when the kind, c, has no room.
    private static string Statement(string full) =>
        // One second of tolerance: Hangfire's clock, which woke us, is not the database's. What is undone, or only to be cancelled, is that also while its kind is paused.
        // The claim is on disk with the first thing that its owner journals, before which no code of a step runs; so nobody waits for the disk here.
        // If PostgreSQL crashes in between, the run is queued as before, and the leap of the fence keeps the owner of the lost claim from being taken for the next.
        $"""
            with claimed as (
                update engine.run r set
                    state = 'running', reason = null, fence = fence + 2 + floor(random() * 1e9)::bigint, owner = @Name, incarnation = @Incarnation, job_id = @jobId, due_at = null, left_by = null, left_on = null,
                    claimed_at = now(), lease_until = now() + @Lease, started_at = coalesce(started_at, now()), holds_key = exclusive_key is not null
                where id = @id and kind = any(@kinds) and state in ('queued', 'waiting') and coalesce(due_at, '-infinity') <= now() + interval '1 second'
                  and not exists (select from engine.node where name = @Name and draining)
                  and (r.left_by is null or not {LeftElsewhere})
                  and not {Successors.IsBehindForKey}
                  and not exists (select from engine.control c where c.kind = r.kind and ((c.paused_by is not null and r.direction > 0 and r.cancel_mode is null) or ({full})))
                returning *),
            noted as (
                insert into engine.event (run_id, who, what, why) select id, 'engine', 'claimed', 'By node ' || @Name || '.' from claimed)
            select id, kind, version, title, plan, input, requested_by as RequestedBy, priority, parent, exclusive_key as ExclusiveKey, direction, cursor, fence,
                   not exists (select from engine.step s where s.run_id = claimed.id) as IsFirst, log_seq as LogSeq, claimed_at as ClaimedAt, worked, failure, cancel_mode as CancelMode, cancel_by as CancelBy, cancel_why as CancelWhy,
                   set_config('synchronous_commit', 'off', true)
            from claimed
            """;

    private object Parameters(Guid id, string jobId, string? kind = null) => new { id, jobId, node.Name, node.Incarnation, options.Lease, kinds, kind, LimitLock };

    /// <summary>Clears the job and says what the run waits for. A kind's limit is looked at a second time, alone.</summary>
    private async Task<ClaimedRun?> NotNow(Guid id, string jobId)
    {
        if (await LimitedKind(id) is { } kind && await ClaimWithinLimit(id, jobId, kind) is { } claimed)
        {
            return claimed;
        }

        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync($"""
            update engine.run r set job_id = null, job_at = now(), reason = case
                when r.due_at > now() + interval '1 second' then r.reason
                when r.kind <> all(@kinds) then {UnknownKind}
                when {LeftElsewhere} then {StillAtWork}
                when c.paused_by is not null and r.direction > 0 and r.cancel_mode is null then
                    'Runs of kind ' || r.kind || ' are paused by ' || c.paused_by || coalesce(': ' || c.paused_why, '') || '. It begins when they are resumed.'
                when c.at_once is not null then
                    'At most ' || c.at_once || ' runs of kind ' || r.kind || ' may be under way at once. It begins when one of them ends.'
                else r.reason end
            from engine.run q left join engine.control c on c.kind = q.kind
            where r.id = @id and q.id = r.id and r.state in ('queued', 'waiting')
            """, new { id, kinds, node.Name, node.Incarnation, options.Lease });
        return null;
    }

    /// <summary>Those before the run in the lines in which it stands that nobody has told.</summary>
    public async Task<IReadOnlyList<QueuedRun>> First(Guid id)
    {
        await using var connection = await database.OpenConnectionAsync();
        return [.. await connection.QueryAsync<QueuedRun>(Successors.First, new { id })];
    }

    private async Task<string?> LimitedKind(Guid id)
    {
        await using var connection = await database.OpenConnectionAsync();
        return await connection.QuerySingleOrDefaultAsync<string?>("""
            select r.kind from engine.run r join engine.control c on c.kind = r.kind
            where r.id = @id and r.state in ('queued', 'waiting') and c.at_once is not null and (c.paused_by is null or r.direction < 0 or r.cancel_mode is not null)
            """, new { id });
    }

    /// <summary>Lays the run aside until the one that holds its key leaves; false when nobody holds it any more.</summary>
    private async Task<bool> IsBehindAnother(Guid id)
    {
        await using var connection = await database.OpenConnectionAsync();
        return await connection.ExecuteAsync("""
            update engine.run r set job_id = null, job_at = now(), reason = null from engine.run h
            where r.id = @id and h.id <> r.id and h.exclusive_key = r.exclusive_key and h.holds_key
            """, new { id }) > 0;
    }
}
