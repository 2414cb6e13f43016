using Dapper;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>What operators decide about the engine as a whole: kinds of runs, nodes; and its figures. Every action is audited with who and why.</summary>
public interface IEngineControl
{
    /// <summary>Every kind known to this process or to the database, with what is decided about it and how many of its runs are not over.</summary>
    Task<IReadOnlyList<RunKind>> Kinds(CancellationToken cancellationToken = default);

    /// <summary>No run of the kind begins or goes on until it is resumed; steps under way end, and undoing goes on.</summary>
    /// <exception cref="RunActionException">There is no such kind.</exception>
    Task PauseKind(string kind, string who, string? why = null, CancellationToken cancellationToken = default);

    /// <summary>Lets runs of the kind go on; those that are due begin at once.</summary>
    /// <exception cref="RunActionException">It is not paused.</exception>
    Task ResumeKind(string kind, string who, string? why = null, CancellationToken cancellationToken = default);

    /// <summary>How many runs of the kind may be under way at once, over all nodes; null for no limit. Those under way beyond it end as they would.</summary>
    /// <exception cref="RunActionException">There is no such kind, or none at all would be allowed: that is a pause.</exception>
    Task LimitKind(string kind, int? atOnce, string who, string? why = null, CancellationToken cancellationToken = default);

    /// <summary>All nodes, those that stopped within the last day included.</summary>
    Task<IReadOnlyList<EngineNodeInfo>> Nodes(CancellationToken cancellationToken = default);

    /// <summary>The node claims nothing more; what it executes goes on. It learns of it within 3 s.</summary>
    /// <exception cref="RunActionException">There is no such node.</exception>
    Task Drain(string node, string who, string? why = null, CancellationToken cancellationToken = default);

    /// <summary>The node claims runs again.</summary>
    /// <exception cref="RunActionException">There is no such node.</exception>
    Task Undrain(string node, string who, string? why = null, CancellationToken cancellationToken = default);

    /// <summary>Ended runs per minute and kind, oldest first; a minute appears when it is over.</summary>
    Task<IReadOnlyList<RunMinute>> Statistics(DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken = default);

    /// <summary>What operators did to kinds and nodes, newest first.</summary>
    Task<IReadOnlyList<EngineAction>> Audit(int limit = 100, CancellationToken cancellationToken = default);
}

/// <summary>A kind of runs.</summary>
/// <param name="Kind">The workflow.</param>
/// <param name="Version">Of its plan in this process; null when this process does not know it.</param>
/// <param name="PausedBy">Who paused it; null when it is not paused.</param>
/// <param name="PausedWhy">The reason given.</param>
/// <param name="PausedAt">When.</param>
/// <param name="AtOnce">How many may be under way at once; null for no limit.</param>
/// <param name="Queued">Runs waiting for a worker, a key or a limit.</param>
/// <param name="Running">Runs under way.</param>
/// <param name="Waiting">Runs that wait for a try, a signal, a time or child runs.</param>
/// <param name="Paused">Runs that wait for an operator.</param>
public sealed record RunKind(
    string Kind, int? Version, string? PausedBy, string? PausedWhy, DateTimeOffset? PausedAt, int? AtOnce, long Queued, long Running, long Waiting, long Paused);

/// <summary>A process that executes runs.</summary>
public sealed record EngineNodeInfo
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Runs that it executes side by side at most.</summary>
    public required int Workers { get; init; }

    /// <summary>Runs that it executes now.</summary>
    public required long Running { get; init; }

    /// <summary>It claims nothing more.</summary>
    public required bool Draining { get; init; }

    /// <summary>Its lease is alive.</summary>
    public required bool Alive { get; init; }

    /// <summary>When it started.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it was last heard of.</summary>
    public required DateTimeOffset SeenAt { get; init; }

    /// <summary>When it stopped in an orderly way.</summary>
    public DateTimeOffset? StoppedAt { get; init; }
}

/// <summary>Runs of a kind that ended within one minute.</summary>
/// <param name="Minute">Its begin.</param>
/// <param name="Kind">The workflow.</param>
/// <param name="Succeeded">Of them, how many succeeded.</param>
/// <param name="Failed">Of them, how many failed.</param>
/// <param name="Cancelled">Of them, how many were cancelled.</param>
/// <param name="Steps">Steps that they had done.</param>
/// <param name="Worked">Time spent running them, all together.</param>
/// <param name="Longest">The longest of them from its start to its end.</param>
public sealed record RunMinute(DateTimeOffset Minute, string Kind, int Succeeded, int Failed, int Cancelled, long Steps, TimeSpan Worked, TimeSpan Longest);

/// <summary>One entry of the engine's own audit.</summary>
public sealed record EngineAction(DateTimeOffset At, string Who, string What, string Target, string? Why);

internal sealed class EngineControl(NpgsqlDataSource database, WorkflowCatalog catalog, Recovery recovery, Text text, EngineOptions options) : IEngineControl
{
    public async Task<IReadOnlyList<RunKind>> Kinds(CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenFresh(cancellationToken);
        var counts = (await connection.QueryAsync<(string Kind, string State, long Count)>(
            "select kind, state, count(*) from engine.run where state in ('queued', 'running', 'waiting', 'paused') group by kind, state")).ToLookup(c => c.Kind);
        var controls = (await connection.QueryAsync<(string Kind, string? By, string? Why, DateTime? At, int? AtOnce)>(
            "select kind, paused_by, paused_why, paused_at, at_once from engine.control")).ToDictionary(c => c.Kind);
        return
        [
            .. catalog.Kinds.Union(counts.Select(c => c.Key)).Union(controls.Keys).Order(StringComparer.Ordinal).Select(kind =>
            {
                var control = controls.GetValueOrDefault(kind);
                long Count(string state) => counts[kind].FirstOrDefault(c => c.State == state).Count;
                return new RunKind(kind, catalog.Find(kind)?.Version, control.By, control.Why, control.At, control.AtOnce,
                    Count("queued"), Count("running"), Count("waiting"), Count("paused"));
            }),
        ];
    }

    public Task PauseKind(string kind, string who, string? why = null, CancellationToken cancellationToken = default) => Act("paused", Known(kind), who, why, """
        insert into engine.control (kind, paused_by, paused_why, paused_at) values (@target, @who, @why, now())
        on conflict (kind) do update set paused_by = excluded.paused_by, paused_why = excluded.paused_why, paused_at = excluded.paused_at
        """, null, cancellationToken);

    public async Task ResumeKind(string kind, string who, string? why = null, CancellationToken cancellationToken = default)
    {
        Identifiers.Allow(kind, nameof(kind));
        await Act("resumed", kind, who, why, "update engine.control set paused_by = null, paused_why = null, paused_at = null where kind = @target and paused_by is not null",
            $"Kind '{kind}' is not paused.", cancellationToken);
        await recovery.Pump(TimeSpan.Zero);
    }

    public async Task LimitKind(string kind, int? atOnce, string who, string? why = null, CancellationToken cancellationToken = default)
    {
        if (atOnce < 1)
        {
            throw new RunActionException($"At least one run of '{kind}' must be allowed at once; to hold them all back, pause the kind.");
        }

        await Act(atOnce is { } n ? $"limited to {n}" : "unlimited", Known(kind), who, why,
            "insert into engine.control (kind, at_once) values (@target, @atOnce) on conflict (kind) do update set at_once = excluded.at_once", null, cancellationToken, atOnce);
        await recovery.Pump(TimeSpan.Zero);
    }

    public async Task<IReadOnlyList<EngineNodeInfo>> Nodes(CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenFresh(cancellationToken);
        return [.. await connection.QueryAsync<EngineNodeInfo>("""
            select name, workers, draining, started_at as StartedAt, seen_at as SeenAt, stopped_at as StoppedAt,
                   stopped_at is null and seen_at > now() - @Lease as Alive,
                   (select count(*) from engine.run r where r.owner = n.name and r.state = 'running') as Running
            from engine.node n where stopped_at is null or stopped_at > now() - interval '1 day' order by name
            """, new { options.Lease })];
    }

    public Task Drain(string node, string who, string? why = null, CancellationToken cancellationToken = default) =>
        Act("drained", Name(node), who, why, "update engine.node set draining = true where name = @target", $"There is no node '{node}'.", cancellationToken);

    public Task Undrain(string node, string who, string? why = null, CancellationToken cancellationToken = default) =>
        Act("undrained", Name(node), who, why, "update engine.node set draining = false where name = @target", $"There is no node '{node}'.", cancellationToken);

    public async Task<IReadOnlyList<RunMinute>> Statistics(DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenFresh(cancellationToken);
        var minutes = await connection.QueryAsync<(DateTime Minute, string Kind, int Succeeded, int Failed, int Cancelled, long Steps, TimeSpan Worked, TimeSpan Longest)>("""
            select minute, kind, succeeded, failed, cancelled, steps, worked, longest from engine.stat_minute where minute >= @from and minute < @to order by minute, kind
            """, new { from = from.UtcDateTime, to = to.UtcDateTime });
        return [.. minutes.Select(m => new RunMinute(m.Minute, m.Kind, m.Succeeded, m.Failed, m.Cancelled, m.Steps, m.Worked, m.Longest))];
    }

    public async Task<IReadOnlyList<EngineAction>> Audit(int limit = 100, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenFresh(cancellationToken);
        var actions = await connection.QueryAsync<(DateTime At, string Who, string What, string Target, string? Why)>(
            "select at, who, what, target, why from engine.audit order by id desc limit @limit", new { limit = Math.Clamp(limit, 1, 1000) });
        return [.. actions.Select(a => new EngineAction(a.At, a.Who, a.What, a.Target, a.Why))];
    }

    private string Known(string kind) => catalog.Find(kind) is not null ? kind : throw new RunActionException($"There is no workflow '{kind}'. Those known here: {string.Join(", ", catalog.Kinds.Order(StringComparer.Ordinal))}.");

    private static string Name(string node)
    {
        Identifiers.Allow(node, nameof(node));
        return node;
    }

    private async Task Act(string what, string target, string who, string? why, string statement, string? nothing, CancellationToken cancellationToken, int? atOnce = null)
    {
        Identifiers.Require(who, nameof(who));
        why = text.Why(why);
        await using var connection = await database.OpenFresh(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await EngineDatabase.LetGoWhenFrozen(transaction);
        if (await connection.ExecuteAsync(statement, new { target, who, why, atOnce }, transaction) == 0 && nothing is not null)
        {
            throw new RunActionException(nothing);
        }

        await connection.ExecuteAsync("insert into engine.audit (who, what, target, why) values (@who, @what, @target, @why)", new { who, what, target, why }, transaction);
        await transaction.CommitAsync(cancellationToken);
    }
}
