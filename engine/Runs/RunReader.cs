using System.Text.Json;
using Dapper;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>Reads runs as operators see them.</summary>
internal sealed class RunReader(NpgsqlDataSource database, WorkflowCatalog catalog, EngineOptions options)
{
    private const int PageLimit = 200;
    private const int LogLimit = 10_000;

    // For whom a run waits is looked up as it is read: the one in front pauses and goes on without telling those behind it, and drained nodes tell nobody anything.
    private const string SummaryColumns = """
        r.id, r.kind, r.title, r.subject, r.state, r.direction,
        coalesce(case when r.state = 'queued' and r.exclusive_key is not null and not r.holds_key then (
            select 'Waits for run ' || h.id || ' (' || h.title || '), which is ' || h.state || ' and holds ' || h.exclusive_key || '.'
            from engine.run h where h.exclusive_key = r.exclusive_key and h.holds_key) end,
            case when r.state = 'queued' then (
                select 'All nodes are drained (' || string_agg(n.name, ', ' order by n.name) || '). It begins when one of them is undrained.'
                from engine.node n where n.stopped_at is null and n.seen_at > now() - @Lease having bool_and(n.draining)) end, r.reason) as reason, r.requested_by as RequestedBy, r.created_at as CreatedAt, r.started_at as StartedAt,
        r.finished_at as FinishedAt, r.steps_done as StepsDone, r.steps_total as StepsTotal, r.steps_changed as StepsChanged,
        r.parent, r.priority, r.cursor
        """;

    public async Task<Guid?> Find(string dedupeKey, CancellationToken cancellationToken)
    {
        Identifiers.Allow(dedupeKey, nameof(dedupeKey));
        await using var connection = await database.OpenFresh(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<Guid?>("select id from engine.run where dedupe_key = @dedupeKey", new { dedupeKey });
    }

    public async Task<RunDetails?> Get(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenFresh(cancellationToken);
        // One snapshot: the run, its attempts and its audit belong to the same moment.
        await using var moment = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        var run = await connection.QuerySingleOrDefaultAsync<RunRow>($"""
            select {SummaryColumns}, r.version, r.plan, r.input, r.owner as Node, r.recoveries,
                   p.seq as ProgressSeq, p.fraction as Progress, p.note as ProgressNote
            from engine.run r left join engine.progress p on p.run_id = r.id and p.fence = r.fence and r.state = 'running'
            where r.id = @id
            """, new { id, options.Lease });
        if (run is null)
        {
            return null;
        }

        var attempts = (await AttemptRow.Read(connection, id)).ToLookup(a => (a.Seq, a.Direction));
        var events = await connection.QueryAsync<(DateTime At, string Who, string What, string? Why)>(
            "select at, who, what, why from engine.event where run_id = @id order by id", new { id });
        var plan = JsonSerializer.Deserialize<PlanSnapshot>(run.Plan, EngineJson.Options)!;
        return run.Details(
            [.. plan.Steps.Select((step, i) => StepView.Of(run, i + 1, step, [.. attempts[(i + 1, (short)1)]], attempts[(i + 1, (short)-1)].LastOrDefault()))],
            [.. events.Select(e => new RunEvent(e.At, e.Who, e.What, e.Why))]);
    }

    public async Task<IReadOnlyList<RunSummary>> Get(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenFresh(cancellationToken);
        var rows = await connection.QueryAsync<RunRow>($"select {SummaryColumns} from engine.run r where r.id = any(@ids)", new { ids = ids.ToArray(), options.Lease });
        return [.. rows.Select(r => r.Summary())];
    }

    public async Task<IReadOnlyList<RunSummary>> List(RunFilter filter, CancellationToken cancellationToken)
    {
        if (filter.Limit is < 1 or > PageLimit)
        {
            throw new ArgumentException($"A page of runs has 1 to {PageLimit}; {filter.Limit} were asked for.", nameof(filter));
        }

        Identifiers.Allow(filter.Kind, nameof(filter.Kind));
        Identifiers.Allow(filter.Subject, nameof(filter.Subject));
        string[] routine = filter.Kind is null && filter.Parent is null ? [.. catalog.Routine.Select(r => r.Kind)] : [];
        var conditions = string.Concat(new[]
        {
            filter.Kind is not null ? " and r.kind = @Kind" : null,
            filter.Subject is not null ? " and r.subject = @Subject" : null,
            filter.Parent is not null ? " and r.parent = @Parent" : null,
            // They are kept for so short a time that there are not many to pass over.
            routine.Length > 0 ? " and (r.kind <> all(@routine) or r.state in ('paused', 'failed', 'cancelled'))" : null,
        });
        var any = filter.States.Count == 0 && filter.Kind is null && filter.Subject is null;
        // A page of each state, from the index that has its rows in order, then the newest of all: no filter looks at rows that it does not show.
        var runs = any ? $"select * from engine.run r where true{(filter.Before is null ? "" : " and r.id < @Before")}{conditions} order by r.id desc limit @Limit" : $"""
            select p.* from unnest(@States) s (state)
            cross join lateral (
                select * from engine.run r where r.state = s.state{conditions}{(filter.Before is null ? "" : " and uuid_send(r.id) < uuid_send(@Before)")}
                order by uuid_send(r.id) desc limit @Limit) p
            order by p.id desc limit @Limit
            """;
        await using var connection = await database.OpenFresh(cancellationToken);
        var rows = await connection.QueryAsync<RunRow>($"select {SummaryColumns} from ({runs}) r order by r.id desc", new
        {
            States = (filter.States.Count > 0 ? filter.States.Distinct() : Enum.GetValues<RunState>()).Select(EngineJson.Word).ToArray(),
            filter.Kind,
            filter.Subject,
            filter.Parent,
            filter.Before,
            filter.Limit,
            routine,
            options.Lease,
        });
        return [.. rows.Select(r => r.Summary())];
    }

    public async Task<IReadOnlyList<RunSummary>> Holding(string exclusiveKey, CancellationToken cancellationToken)
    {
        Identifiers.Require(exclusiveKey, nameof(exclusiveKey));
        await using var connection = await database.OpenFresh(cancellationToken);
        var rows = await connection.QueryAsync<RunRow>($"""
            select {SummaryColumns} from engine.run r
            where r.exclusive_key = @exclusiveKey and (r.holds_key or r.state = 'queued')
            order by r.holds_key desc, r.priority desc, r.created_at limit 50
            """, new { exclusiveKey, options.Lease });
        return [.. rows.Select(r => r.Summary())];
    }

    public async Task<IReadOnlyList<LogLine>> Log(Guid id, long after, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenFresh(cancellationToken);
        var lines = await connection.QueryAsync<(long Seq, DateTime At, int StepSeq, short Level, string Message)>("""
            select seq, at, step_seq, level, message from engine.log where run_id = @id and seq > @after order by seq limit @limit
            """, new { id, after, limit = Math.Clamp(limit, 1, LogLimit) });
        return [.. lines.Select(l => new LogLine(l.Seq, l.At, l.StepSeq, (LogLevel)l.Level, l.Message))];
    }
}
