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

    // About the run n: its kind does not hold it back. Whose limit is full leaves the key to those behind it.
    private const string KindLets = """
        not exists (select from engine.control c where c.kind = n.kind and (
            (c.paused_by is not null and n.direction > 0 and n.cancel_mode is null) or c.at_once <= (select count(*) from engine.run u where u.kind = n.kind and u.state = 'running')))
        """;

    // About the run n: it can go on, asleep no longer.
    private const string IsDue = "n.state in ('queued', 'waiting') and coalesce(n.due_at, '-infinity') <= now()";

    private const string KeyIsFree = "not exists (select from engine.run h where h.exclusive_key = n.exclusive_key and h.holds_key and h.id <> n.id)";

    private const string InLineForKey = $"n.state = 'queued' and not n.holds_key and {IsDue} and {KindLets}";

    private const string InOrder = "order by n.priority desc, n.created_at, n.id limit 1";

    // The run n comes before the run r.
    private const string IsBefore = "n.id <> r.id and (n.priority > r.priority or (n.priority = r.priority and (n.created_at, n.id) < (r.created_at, r.id)))";

    /// <summary>The next in line for the key that it does not hold any more.</summary>
    public const string NextOfKey = $"""
        (select n.id, n.queue from owned o, engine.run n where not o.holds_key and n.id <> o.id and n.exclusive_key = o.exclusive_key and {InLineForKey} {InOrder})
        """;

    /// <summary>The next in line of its kind, which has a limit. It may have a job already: that one's claim may just be refused because of us.</summary>
    public const string NextOfKind = $"""
        (select n.id, n.queue from owned o, engine.run n where n.kind = o.kind and n.id <> o.id and {IsDue} and {KeyIsFree} {InOrder})
        """;

    /// <summary>The run <c>r</c> wants a key for which another, that this node could execute too, is before it: by <c>@kinds</c> of this node.</summary>
    public const string IsBehindForKey = $"""
        (r.exclusive_key is not null and not r.holds_key and exists (
            select from engine.run n where n.exclusive_key = r.exclusive_key and n.kind = any(@kinds) and n.left_by is null and {IsBefore} and {InLineForKey}))
        """;

    /// <summary>The same of those of its kind, which has a limit.</summary>
    public const string IsBehindOfKind = $"exists (select from engine.run n where n.kind = r.kind and n.left_by is null and {IsBefore} and {IsDue} and {KeyIsFree})";

    /// <summary>Who is before the run <c>@id</c> in its lines and has no job of the last second: between a commit and its enqueue a process may have ended.</summary>
    public const string First = $"""
        select f.id, f.queue from engine.run r cross join lateral (
            (select n.id, n.queue, n.job_id, n.job_at from engine.run n where r.exclusive_key is not null and not r.holds_key and n.exclusive_key = r.exclusive_key and n.left_by is null and {IsBefore} and {InLineForKey} and {KeyIsFree} {InOrder})
            union all
            (select n.id, n.queue, n.job_id, n.job_at from engine.run n where exists (select from engine.control l where l.kind = r.kind and l.at_once is not null)
             and n.kind = r.kind and n.left_by is null and {IsBefore} and {IsDue} and {KindLets} and {KeyIsFree} {InOrder})) f
        where r.id = @id and (f.job_id is null or f.job_at < now() - interval '1 second')
        """;
}
