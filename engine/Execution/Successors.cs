namespace ManagedServers.Engine;

/// <summary>Who can go on because a run has left its place: parts of a statement whose CTE <c>owned</c> is that run as it is now.</summary>
internal static class Successors
{
    /// <summary>The CTE <c>told</c>: the parent learns of a child's end, or that it waits for an operator.</summary>
    public const string Told = """
        told as (
            update engine.run p set wakes = p.wakes + 1, due_at = case when p.state = 'waiting' and p.cursor = o.parent_seq then now() else p.due_at end
            from owned o where p.id = o.parent and o.state in ('succeeded', 'failed', 'cancelled', 'paused') and p.state in ('running', 'waiting')
            returning p.id, p.queue)
        """;

    /// <summary>Runs beneath the run, which share its key, have not ended: it keeps the key for them, and <see cref="Recovery.FreeKeys"/> frees it.</summary>
    public const string KeyIsShared = "exists (select from engine.run c where c.key_holder = run.id and c.state not in ('succeeded', 'failed', 'cancelled'))";

    /// <summary>The next in line for the key that it does not hold any more.</summary>
    public const string NextOfKey = """
        (select n.id, n.queue from owned o, engine.run n
         where not o.holds_key and n.id <> o.id and n.exclusive_key = o.exclusive_key and n.state = 'queued' and not n.holds_key
           and not exists (select from engine.control c where c.kind = n.kind and c.paused_by is not null and n.direction > 0 and n.cancel_mode is null)
         order by n.priority desc, n.created_at limit 1)
        """;

    /// <summary>The next in line of its kind, where a limit of the kind held it back.</summary>
    public const string NextOfKind = """
        (select n.id, n.queue from owned o, engine.run n
         where n.kind = o.kind and n.id <> o.id and n.state = 'queued' and n.job_id is null and coalesce(n.due_at, '-infinity') <= now()
           and not exists (select from engine.run h where h.exclusive_key = n.exclusive_key and h.holds_key and h.id <> n.id)
         order by n.priority desc, n.created_at limit 1)
        """;
}
