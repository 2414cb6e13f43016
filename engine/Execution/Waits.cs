using System.Text.Json;
using Dapper;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>A signal that was sent to a run and not taken yet.</summary>
internal sealed record SentSignal(long Id, string Payload, string Who, string? Why);

/// <summary>What a waiting step sees when its run looks after it.</summary>
/// <param name="Left">Until the wait is over; not positive when it is.</param>
/// <param name="Wakes">The run's wake-ups of the same moment.</param>
internal sealed record WaitLook(TimeSpan Left, int Wakes);

/// <summary>A child run as its parent sees it.</summary>
internal sealed record ChildRow
{
    public required Guid Id { get; init; }
    public required int Index { get; init; }
    public required int Round { get; init; }
    public required string State { get; init; }
    public required string Title { get; init; }
    public string? Reason { get; init; }
    public required string Input { get; init; }
    public string? CancelMode { get; init; }

    public bool HasEnded => RunRow.HasEnded(State);
}

/// <summary>What steps wait for: signals, times and child runs.</summary>
internal sealed class Waits(NpgsqlDataSource database, RunStarter starter, RunActions actions)
{
    // Read before what is waited for: a wake-up in between is then newer than the look.
    public async Task<WaitLook> Look(Guid run, int seq, int direction)
    {
        await using var connection = await database.OpenConnectionAsync();
        return await connection.QuerySingleAsync<WaitLook>("""
            select s.next_try_at - now() as Left, r.wakes
            from engine.run r join engine.step s on s.run_id = r.id and s.seq = @seq and s.direction = @direction and s.state = 'waiting'
            where r.id = @run
            """, new { run, seq, direction });
    }

    /// <summary>At most one.</summary>
    public async Task<IReadOnlyList<SentSignal>> Signals(Guid run, string step)
    {
        await using var connection = await database.OpenConnectionAsync();
        return [.. await connection.QueryAsync<SentSignal>("select id, payload, who, why from engine.signal where run_id = @run and step = @step and taken_at is null", new { run, step })];
    }

    /// <summary>The latest child of each place, of attempts after the given one.</summary>
    public async Task<IReadOnlyList<ChildRow>> Children(Guid parent, int seq, int afterRound)
    {
        await using var connection = await database.OpenConnectionAsync();
        return [.. await connection.QueryAsync<ChildRow>("""
            select distinct on (child_index) id, child_index as Index, child_round as Round, state, title, reason, input, cancel_mode as CancelMode
            from engine.run where parent = @parent and parent_seq = @seq and child_round > @afterRound
            order by child_index, child_round desc
            """, new { parent, seq, afterRound })];
    }

    /// <summary>The steps of which child runs have ended and left something changed.</summary>
    public async Task<IReadOnlyList<int>> ChangesBeneath(Guid parent)
    {
        await using var connection = await database.OpenConnectionAsync();
        return [.. await connection.QueryAsync<int>("select distinct parent_seq from engine.run where parent = @parent and steps_changed > 0 and state in ('succeeded', 'failed', 'cancelled')", new { parent })];
    }

    public Task StartChild(ClaimedRun parent, int seq, int index, int round, string kind, ChildStart<JsonElement> child) =>
        starter.Start(kind, child.Input, new StartRun
        {
            RequestedBy = parent.RequestedBy,
            Subject = child.Subject,
            OwnKey = $"{Identifiers.ChildKey}{parent.Id:N}-{seq}-{index}-{round}",
            Priority = (RunPriority)parent.Priority,
        }, new ChildPlace(parent.Id, parent.Fence, seq, index, round));

    public Task UndoChildren(Guid parent, string? why) => actions.CancelChildren(parent, CancelMode.Undo, "engine", why, notYetTold: true);
}
