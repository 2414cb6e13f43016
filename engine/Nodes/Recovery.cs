using Dapper;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>Takes back runs whose owner is gone, and hands over runs that nobody would wake. Safe on any number of nodes at once.</summary>
internal sealed class Recovery(
    NpgsqlDataSource database, WorkflowCatalog catalog, RunQueue queue, RunActions actions, LiveRuns runs, Notifier notifier, NodeIdentity node, EngineOptions options)
{
    private const int Batch = 200;

    // How long one session of the predecessor may take to end, in milliseconds.
    private const int SessionEnds = 2_000;

    // Part of a statement, about the run q: Hangfire has a job for it that nobody has taken yet.
    private const string HasJob = $"exists (select from {HangfireStorage.Schema}.jobqueue j where j.jobid = q.job_id::bigint and j.fetchedat is null)";

    private readonly string[] kinds = [.. catalog.Kinds];

    /// <summary>
    /// Ends the sessions of an earlier process of this name. PostgreSQL may still be at work on its last statements when the process is gone: a claim, or
    /// Hangfire's fetch of a job, that took effect after we have looked would leave its run to the lease or to the pump.
    /// </summary>
    public async Task EndPredecessor()
    {
        await using var connection = await database.OpenConnectionAsync();
        if (await connection.QuerySingleOrDefaultAsync<Guid?>("select incarnation from engine.node where name = @Name", new { node.Name }) is { } former)
        {
            await connection.ExecuteAsync("""
                select pg_terminate_backend(pid, @SessionEnds) from pg_stat_activity
                where datname = current_database() and right(application_name, length(@mark)) = @mark
                """, new { SessionEnds, mark = EngineDatabase.SessionMark(former) });
        }
    }

    /// <summary>What an earlier process of this name has left; only a node that holds its name may do this.</summary>
    public Task TakeBackOwn() => TakeBack("r.owner = @Name and r.incarnation <> @Incarnation", "for update");

    /// <summary>What any node has left for longer than its lease.</summary>
    public Task TakeBackExpired() => TakeBack("r.lease_until < now()", "for update skip locked");

    /// <summary>What this node has claimed without learning of it, because the answer was lost on its way: it would be nobody's until the lease is over.</summary>
    public Task TakeBackUnknown() =>
        TakeBack("r.owner = @Name and r.incarnation = @Incarnation and r.claimed_at < now() - interval '5 seconds' and r.id <> all(@mine)", "for update skip locked");

    /// <summary>Lets other nodes begin the runs again of which a step did not let go here and has ended now.</summary>
    public async Task TellEndOfLeft()
    {
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync("update engine.run set left_by = null, left_on = null where left_by = @Incarnation and id <> all(@left)",
            new { node.Incarnation, left = runs.LeftBehind.ToArray() });
    }

    private async Task TakeBack(string lost, string locking)
    {
        List<(Guid Id, string Queue, string State, string? JobId)> taken;
        do
        {
            taken = await TakeBackBatch(lost, locking);
            foreach (var run in taken)
            {
                notifier.Changed(run.Id);
                if (run.State == "queued")
                {
                    await queue.TryEnqueue(new QueuedRun(run.Id, run.Queue));
                }

                queue.TryDelete(run.JobId);
            }
        }
        while (taken.Count == Batch);
    }

    private async Task<List<(Guid Id, string Queue, string State, string? JobId)>> TakeBackBatch(string lost, string locking)
    {
        await using var connection = await database.OpenConnectionAsync();
        return [.. await connection.QueryAsync<(Guid, string, string, string?)>($$"""
            with lost as (
                -- A cancel is heeded first; it needs a node for a moment only.
                select r.id, r.owner, r.job_id, r.recoveries_in_row + 1 >= @RecoveriesBeforePause and (r.cancel_mode is null or r.direction < 0 and r.cancel_mode = 'Undo') as pauses
                from engine.run r where r.state = 'running' and {{lost}} order by r.id limit {{Batch}} {{locking}}),
            taken as (
                update engine.run r set
                    fence = r.fence + 1, recoveries = r.recoveries + 1, recoveries_in_row = r.recoveries_in_row + 1,
                    state = case when l.pauses then 'paused' else 'queued' end,
                    reason = case when l.pauses
                        then 'Its node ended ' || r.recoveries_in_row + 1 || ' times in a row while this run was under way, with no step finished in between. '
                             || 'The step at which it stands may be what ends the node: look at the node''s log, then retry, skip or cancel.'
                        else 'Node ' || l.owner || ' ended without a word, or was cut off from the database; the run goes on where it stood.' end,
                    worked = r.worked + greatest(least(now(), r.lease_until - @Lease) - r.claimed_at, interval '0'),
                    owner = null, incarnation = null, lease_until = null, claimed_at = null, job_id = null, job_at = now()
                from lost l where r.id = l.id
                returning r.id, r.queue, r.state, l.owner, l.job_id, r.reason, r.parent, r.parent_seq),
            owned as (select id, state, parent, parent_seq from taken),
            {{Successors.Told}},
            interrupted as (
                update engine.step s set state = 'interrupted', finished_at = now(), error = 'Node ' || t.owner || ' ended, or was cut off from the database, while the step was at work.'
                from taken t where s.run_id = t.id and s.state = 'running'),
            noted as (
                insert into engine.event (run_id, who, what, why)
                select id, 'engine', case when state = 'paused' then 'paused' else 'recovered' end,
                       case when state = 'paused' then reason else 'From node ' || owner || ', by node ' || @Name || '.' end
                from taken)
            select id, queue, state, job_id from taken
            union all select id, queue, 'queued', null from told
            """, new { node.Name, node.Incarnation, options.Lease, options.RecoveriesBeforePause, mine = runs.All.Select(r => r.Id).ToArray() })];
    }

    /// <summary>
    /// Enqueues due runs that have had no live job for a while: their process died between the commit and the enqueue, or Hangfire has lost the job.
    /// A job counts as live while it lies in Hangfire's queue unfetched; a fetched one would have claimed its run at once. Runs whose workflow this node does
    /// not know are left to nodes that do: handed over, they would come back at once, and again, before all those of lower priority.
    /// </summary>
    public async Task Pump(TimeSpan after)
    {
        foreach (var run in await Forgotten(after))
        {
            await queue.TryEnqueue(run);
        }
    }

    /// <summary>Tells runs that nobody has told anything yet that this node does not know their workflow.</summary>
    public async Task TellUnknown(TimeSpan after)
    {
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync($"""
            update engine.run r set reason = {Claims.UnknownKind}
            where r.id in (
                select q.id from engine.run q
                where q.state = 'queued' and q.reason is null and q.kind <> all(@kinds) and coalesce(q.job_at, q.created_at) <= now() - @after and not {HasJob}
                limit {Batch} for update skip locked)
            """, new { node.Name, kinds, after });
    }

    /// <summary>Frees the keys of runs that have ended, as soon as those beneath them have, which shared it. The pump hands over the next in line.</summary>
    public async Task FreeKeys()
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await EngineDatabase.LetGoWhenFrozen(transaction);
        // Locked first, so that the second statement sees every child that was started beneath them: see RunStarter.
        var ended = (await connection.QueryAsync<Guid>(
            "select id from engine.run where holds_key and state in ('succeeded', 'failed', 'cancelled') for no key update skip locked", null, transaction)).ToArray();
        if (ended.Length > 0)
        {
            await connection.ExecuteAsync($"update engine.run set holds_key = false where id = any(@ended) and not {Successors.KeyIsShared}", new { ended }, transaction);
        }

        await transaction.CommitAsync();
    }

    /// <summary>
    /// A run that is in line for a key which one above it has come by meanwhile, by a retry, works under that one's: each would wait for the other for ever.
    /// The pump hands it over.
    /// </summary>
    public async Task ShareKeys()
    {
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync("""
            with beneath as (
                select q.id, h.id as holder from engine.run q join engine.run h on h.exclusive_key = q.exclusive_key and h.holds_key and h.id <> q.id
                where q.state = 'queued' and q.exclusive_key is not null and not q.holds_key and q.parent is not null and h.id in (
                    with recursive above as (
                        select q.parent as id union all select r.parent from engine.run r join above a on r.id = a.id where r.parent is not null)
                    select id from above)
                for no key update of q skip locked for share of h skip locked),
            further as (update engine.run c set key_holder = b.holder from beneath b where c.key_holder = b.id)
            update engine.run r set exclusive_key = null, key_holder = b.holder, reason = null from beneath b where r.id = b.id
            """);
    }

    /// <summary>
    /// Pauses a run that waits for a key in a circle: whoever holds it waits, through runs beneath it, for a run above this one. One a sweep, the youngest of the circle:
    /// by that it is none any more, and its parent tells operators.
    /// </summary>
    public async Task BreakCircles()
    {
        await using var connection = await database.OpenConnectionAsync();
        foreach (var told in await connection.QueryAsync<(Guid Run, Guid? Next, string? Queue)>($"""
            with recursive blocked as (
                select q.id, q.parent, q.exclusive_key as key, h.id as holder, h.title from engine.run q join engine.run h on h.exclusive_key = q.exclusive_key and h.holds_key and h.id <> q.id
                where q.state = 'queued' and q.parent is not null and not q.holds_key and q.job_at < now() - @PumpAfter),
            above as (
                select b.id as run, b.parent as above from blocked b
                union select a.run, r.parent from above a join engine.run r on r.id = a.above where r.parent is not null),
            edge as (select b.id as waits, a.run as behind from blocked b join above a on a.above = b.holder),
            way as (select waits, behind from edge union select w.waits, e.behind from way w join edge e on e.waits = w.behind),
            circle as (select b.id, b.key, b.holder, b.title from way w join blocked b on b.id = w.waits where w.waits = w.behind order by b.id desc limit 1),
            owned as (
                update engine.run r set state = 'paused', fence = fence + 1, job_id = null, job_at = now(),
                       reason = 'It can never begin by itself: it waits for ' || c.key || ', which run ' || c.holder || ' (' || c.title || ') holds, and that one waits, through runs beneath it, '
                                || 'for a key of a run above this one. Cancel one of the two, then retry this run.'
                from circle c where r.id = c.id and r.state = 'queued' returning r.id, r.state, r.parent, r.parent_seq, r.reason),
            {Successors.Told},
            noted as (insert into engine.event (run_id, who, what, why) select id, 'engine', 'paused', reason from owned)
            select o.id, t.id, t.queue from owned o left join told t on true
            """, new { options.PumpAfter }))
        {
            notifier.Changed(told.Run);
            if (told.Next is { } next)
            {
                await queue.TryEnqueue(new QueuedRun(next, told.Queue!));
            }
        }
    }

    /// <summary>Ends children whose parent was cancelled by a process that died before it could tell them.</summary>
    public async Task CancelOrphans()
    {
        foreach (var parent in await ParentsOfOrphans())
        {
            await actions.CancelChildren(parent, CancelMode.Stop, "engine", null);
        }
    }

    private async Task<IEnumerable<Guid>> ParentsOfOrphans()
    {
        await using var connection = await database.OpenConnectionAsync();
        return await connection.QueryAsync<Guid>("""
            select distinct p.id from engine.run r join engine.run p on p.id = r.parent
            where r.state in ('queued', 'running', 'waiting', 'paused') and r.cancel_mode is null and p.state = 'cancelled'
            """);
    }

    private async Task<IEnumerable<QueuedRun>> Forgotten(TimeSpan after)
    {
        await using var connection = await database.OpenConnectionAsync();
        return await connection.QueryAsync<QueuedRun>($"""
            update engine.run r set job_at = now()
            where r.id in (
                select q.id from engine.run q left join engine.control c on c.kind = q.kind
                where q.kind = any(@kinds) and q.state in ('queued', 'waiting') and coalesce(q.job_at, q.created_at) <= now() - @after and coalesce(q.due_at, '-infinity') <= now() - @after
                  and not {HasJob}
                  and not exists (select from engine.run h where h.exclusive_key = q.exclusive_key and h.holds_key and h.id <> q.id)
                  and (c.paused_by is null or q.direction < 0 or q.cancel_mode is not null)
                  and (c.at_once is null or c.at_once > (select count(*) from engine.run o where o.kind = q.kind and o.state = 'running'))
                order by q.priority desc, q.job_at limit {Batch} for update of q skip locked)
            returning r.id, r.queue
            """, new { kinds, after });
    }
}
