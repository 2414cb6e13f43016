using System.Text.Json;
using Dapper;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>Where a child run belongs: the step of its parent, its place there, and the attempt of that step. Only who holds the parent starts children of it.</summary>
internal sealed record ChildPlace(Guid Parent, long Fence, int Seq, int Index, int Round);

/// <summary>The parent was cancelled, or is in other hands: no child of it was started.</summary>
internal sealed class ParentStoppedException : Exception;

/// <summary>Inserts runs of any kind: what operators, schedules and parent runs start goes this one way.</summary>
internal sealed class RunStarter(NpgsqlDataSource database, EngineDatabase engine, WorkflowCatalog catalog, RunQueue queue, Notifier notifier, Text text, TimeProvider time)
{
    private const int Tries = 4;
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(200);

    public Task<StartedRun> Start<TWorkflow, TInput>(
        TInput input, StartRun start, Func<NpgsqlTransaction, Guid, Task>? within = null, CancellationToken cancellationToken = default)
        where TWorkflow : IWorkflow<TInput>
        where TInput : notnull =>
        Start(catalog.Of<TWorkflow>(), EngineJson.Element(input), start, null, within, cancellationToken);

    /// <exception cref="ArgumentException">No workflow has that kind.</exception>
    public Task<StartedRun> Start(
        string kind, JsonElement input, StartRun start, ChildPlace? place = null, Func<NpgsqlTransaction, Guid, Task>? within = null, CancellationToken cancellationToken = default) =>
        Start(catalog.Find(kind) ?? throw new ArgumentException($"There is no workflow '{kind}' in this process.", nameof(kind)), input, start, place, within, cancellationToken);

    private async Task<StartedRun> Start(
        WorkflowDefinition definition, JsonElement input, StartRun start, ChildPlace? place, Func<NpgsqlTransaction, Guid, Task>? within, CancellationToken cancellationToken)
    {
        var json = Text.Json(input);
        Check(start, json);
        var (plan, title) = definition.Describe(json);
        var row = new
        {
            Id = Guid.CreateVersion7(time.GetUtcNow()),
            definition.Kind,
            definition.Version,
            Title = text.Title(title),
            start.Subject,
            Plan = JsonSerializer.Serialize(plan.Snapshot(), EngineJson.Options),
            Input = json.GetRawText(),
            DedupeKey = start.OwnKey ?? start.DedupeKey,
            ExclusiveKey = plan.ExclusiveKey ?? start.KeyIfNone,
            Queue = RunQueue.Of(start.Priority),
            Priority = (int)start.Priority,
            place?.Parent,
            ParentFence = place?.Fence,
            place?.Seq,
            place?.Index,
            place?.Round,
            start.RequestedBy,
            Total = plan.Steps.Count,
        };

        if (await InsertPatiently(row.Id, row.Kind, row, row.DedupeKey, within, cancellationToken) is { } existing)
        {
            return new StartedRun(existing, true);
        }

        await queue.TryEnqueue(new QueuedRun(row.Id, row.Queue));
        notifier.Changed(row.Id);
        return new StartedRun(row.Id, false);
    }

    /// <summary>
    /// A pooled connection may have been cut since it was last used, and nobody should hear of that. Without statements of the caller it is safe to try
    /// again: the run's id is chosen before, so an insert whose answer was lost is found and not repeated.
    /// </summary>
    private async Task<Guid?> InsertPatiently(
        Guid id, string kind, object row, string? dedupeKey, Func<NpgsqlTransaction, Guid, Task>? within, CancellationToken cancellationToken)
    {
        for (var left = within is null ? Tries : 1; ; left--)
        {
            try
            {
                var known = await Insert(id, kind, row, dedupeKey, within, cancellationToken);
                return known == id ? null : known;
            }
            catch (Exception fault) when (left > 1 && TransientFault.Is(fault))
            {
                await Task.Delay(Again, time, cancellationToken);
            }
        }
    }

    /// <summary>Inserts the run with the caller's statements, or gives the one that has its dedupe key.</summary>
    private async Task<Guid?> Insert(
        Guid id, string wanted, object row, string? dedupeKey, Func<NpgsqlTransaction, Guid, Task>? within, CancellationToken cancellationToken)
    {
        // One statement is a transaction by itself; the caller's own need one around them, on a connection of the host's.
        await using var connection = await (within is null ? engine.Hot.OpenConnectionAsync(cancellationToken).AsTask() : database.OpenFresh(cancellationToken));
        await using var transaction = within is null ? null : await connection.BeginTransactionAsync(cancellationToken);
        // A second start with the same key waits here for the first one's commit.
        var inserted = await connection.ExecuteAsync(new CommandDefinition("""
            with recursive above as (
                select id, parent from engine.run where id = @Parent
                union all select r.id, r.parent from engine.run r join above a on r.id = a.parent),
            -- Locked, so that a cancel comes either before this child or finds it.
            parent as (select id from engine.run where id = @Parent and fence = @ParentFence and state = 'running' and cancel_mode is null for share),
            -- Locked, so that its end comes either before, and the key is free for anybody, or after, and finds this child, for which it keeps the key.
            holder as (select h.id from engine.run h join above a on a.id = h.id where h.exclusive_key = @ExclusiveKey and h.holds_key for share of h),
            started as (
                insert into engine.run (id, kind, version, title, subject, plan, input, dedupe_key, exclusive_key, key_holder, queue, priority,
                                        parent, parent_seq, child_index, child_round, requested_by, steps_total, job_at)
                select @Id, @Kind, @Version, @Title, @Subject, @Plan::json, @Input::json, @DedupeKey,
                       case when not exists (select from holder) then @ExclusiveKey end, (select id from holder), @Queue, @Priority,
                       @Parent, @Seq, @Index, @Round, @RequestedBy, @Total, now()
                where @Parent is null or exists (select from parent)
                on conflict do nothing returning id)
            insert into engine.event (run_id, who, what) select id, @RequestedBy, 'started' from started
            """, row, transaction, cancellationToken: cancellationToken));
        if (inserted == 0)
        {
            var known = await connection.QueryFirstOrDefaultAsync<(Guid Id, string Kind)?>(
                "select id, kind from engine.run where id = @id or dedupe_key = @dedupeKey order by id = @id desc", new { id, dedupeKey }, transaction)
                ?? throw new ParentStoppedException();
            return known.Kind == wanted
                ? known.Id
                : throw new ArgumentException($"The dedupe key '{dedupeKey}' was used already, by run {known.Id} of kind '{known.Kind}': nothing was started. Give each kind keys of its own.", nameof(dedupeKey));
        }

        if (within is not null)
        {
            await within(transaction!, id);
            await transaction!.CommitAsync(cancellationToken);
        }

        return null;
    }

    private static void Check(StartRun start, JsonElement input)
    {
        Identifiers.Require(start);
        if (!Enum.IsDefined(start.Priority))
        {
            throw new ArgumentException($"There is no priority {start.Priority}.", nameof(start));
        }

        if (Text.KiBOverLimit(input) is { } size)
        {
            throw new ArgumentException($"The input has {size:N0} KiB as JSON; a run takes at most {Text.JsonLimit / 1024} KiB.", nameof(input));
        }
    }
}
