using Dapper;

namespace ManagedServers.Engine;

/// <content>Cancelling: stop, or stop and take back; child runs with their parent.</content>
internal sealed partial class RunActions
{
    public async Task Cancel(Guid id, CancelMode mode, string who, string? why, CancellationToken cancellationToken)
    {
        if (!Enum.IsDefined(mode))
        {
            throw new ArgumentOutOfRangeException(nameof(mode), mode, "There is no such way to cancel a run.");
        }

        await Act(id, who, why, async (run, at) =>
        {
            switch (run.State)
            {
                case var _ when run.HasEnded:
                    throw new RunActionException($"Run {id} has ended already: it is {run.State}.");
                case "running":
                    await CancelRunning(run, mode, at);
                    break;
                case var _ when mode == CancelMode.Undo && run.Begun:
                    await TurnBack(run, at);
                    break;
                default:
                    await End(run, at);
                    break;
            }
        }, cancellationToken);
        await CancelChildren(id, mode, who, why);
    }

    /// <summary>Ends the children of a run that are still under way, each as if it were cancelled itself; or only those of them that nobody cancels yet.</summary>
    public async Task CancelChildren(Guid parent, CancelMode mode, string who, string? why, bool notYetTold = false)
    {
        foreach (var child in await ChildrenUnderWay(parent, notYetTold))
        {
            try
            {
                await Cancel(child, mode, who, $"Its parent run was cancelled{(string.IsNullOrWhiteSpace(why) ? "." : $": {why}")}", CancellationToken.None);
            }
            catch (RunActionException)
            {
                // It ended, or is being cancelled already.
            }
        }
    }

    private async Task<IEnumerable<Guid>> ChildrenUnderWay(Guid parent, bool notYetTold)
    {
        await using var connection = await database.OpenConnectionAsync();
        return await connection.QueryAsync<Guid>(
            "select id from engine.run where parent = @parent and state in ('queued', 'running', 'waiting', 'paused') and (cancel_mode is null or not @notYetTold) order by id",
            new { parent, notYetTold });
    }

    private static async Task CancelRunning(ActionTarget run, CancelMode mode, RunAction at)
    {
        if (mode == CancelMode.Undo && (run.Direction < 0 || run.CancelMode is not null))
        {
            throw new RunActionException($"Run {run.Id} is being {(run.Direction < 0 ? "undone" : "cancelled")} already.");
        }

        at.SignalCancel($"{run.Id} {mode}");
        if (run.CancelMode == mode.ToString())
        {
            return; // who asked first is named
        }

        at.What("cancelled", mode == CancelMode.Undo ? "With undo." : null);
        await at.Execute("update engine.run set cancel_mode = @mode, cancel_by = @Who, cancel_why = @Why where id = @Id", new { mode = mode.ToString() });
    }

    private static async Task TurnBack(ActionTarget run, RunAction at)
    {
        if (run is { Direction: < 0, State: not "paused" })
        {
            throw new RunActionException($"Run {run.Id} is being undone already.");
        }

        at.What("cancelled", "With undo.");
        await at.EndWait();
        await at.Execute("""
            update engine.run set state = 'queued', fence = fence + 1, direction = -1,
                   cursor = least(greatest(cursor, (select coalesce(max(seq), 0) from engine.step where run_id = @Id)), steps_total), due_at = null, reason = 'Cancelled; undoing what was done.',
                   cancel_mode = 'Undo', cancel_by = @Who, cancel_why = @Why, failure = @Sentence, job_id = null, job_at = now(), recoveries_in_row = 0
            where id = @Id
            """);
        at.Wake(run);
    }

    private static async Task End(ActionTarget run, RunAction at)
    {
        var remains = run.Direction < 0 ? "The undo was stopped; what it had not reached is still there."
            : run.Begun ? "What was done is left as it is." : "It had not begun.";
        remains += run.LeftBehind ? " A step that did not let go may still be at work, and its key is free from now on: look at what it works on before another run does." : "";
        at.What("cancelled", remains);
        await at.EndWait();
        foreach (var next in await at.Query<QueuedRun>($"""
            with owned as (
                update engine.run set state = 'cancelled', fence = fence + 1, reason = @Sentence || ' ' || @remains, finished_at = now(), due_at = null, holds_key = holds_key and {Successors.KeyIsShared},
                       cancel_mode = 'Stop', cancel_by = @Who, cancel_why = @Why, job_id = null
                where id = @Id returning id, state, exclusive_key, holds_key, parent, parent_seq),
            {Successors.Told}
            select id, queue from told union all {Successors.NextOfKey}
            """, new { remains }))
        {
            at.Wake(next);
        }
    }
}
