using Dapper;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>What operators do to a run. Each locks the run's row, looks, acts and leaves a line in the audit, in one transaction.</summary>
internal sealed partial class RunActions(NpgsqlDataSource database, WorkflowCatalog catalog, RunQueue queue, Notifier notifier, Text text)
{
    private List<RehearsedAction>? rehearsed;

    /// <summary>The same, with nothing of it committed.</summary>
    public RunActions Rehearsing(List<RehearsedAction> into) => new(database, catalog, queue, notifier, text) { rehearsed = into };

    private async Task Act(Guid id, string who, string? why, Func<ActionTarget, RunAction, Task> act, CancellationToken cancellationToken)
    {
        Identifiers.Require(who, nameof(who));
        why = text.Why(why);
        var decided = await Decide(id, who, why, act, cancellationToken);
        if (rehearsed is not null)
        {
            return;
        }

        // Not tied to the caller's patience any more: it is decided. And with no connection held while another is asked for.
        foreach (var run in decided.Woken)
        {
            await queue.TryEnqueue(run);
            notifier.Changed(run.Id);
        }

        queue.TryDelete(decided.ReplacedJob);

        notifier.Changed(id);
    }

    private async Task<RunAction> Decide(Guid id, string who, string? why, Func<ActionTarget, RunAction, Task> act, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenFresh(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await EngineDatabase.LetGoWhenFrozen(transaction);
        var run = await connection.QuerySingleOrDefaultAsync<ActionTarget>("""
            select id, kind, state, direction, cursor, input, plan, cancel_mode as CancelMode, fence, queue, job_id as JobId, exclusive_key as ExclusiveKey,
                   exists (select from engine.step s where s.run_id = r.id and s.direction > 0 and s.state <> 'skipped') as Begun, left_by is not null and holds_key as LeftBehind,
                   (select p.id from engine.run p where p.id = r.parent and p.state = 'cancelled') as CancelledParent
            from engine.run r where id = @id for update
            """, new { id }, transaction) ?? throw new RunActionException($"There is no run {id}.");
        var action = new RunAction(connection, transaction, id, who, why);
        await act(run, action);
        await action.Audit();
        if (rehearsed is not null)
        {
            rehearsed.Add(await action.Rehearsed(run));
            return action;
        }

        await transaction.CommitAsync(cancellationToken);
        await action.Signal();
        return action;
    }
}
