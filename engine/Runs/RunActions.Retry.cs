using System.Text.Json;

namespace ManagedServers.Engine;

/// <content>Going on: retry, skip, another priority.</content>
internal sealed partial class RunActions
{
    // The key of the run above, under which this one worked, when that has let go of it: from now on it must come by it itself.
    private const string LeftKey = "(select h.exclusive_key from engine.run h where h.id = run.key_holder and not h.holds_key)";

    public Task Retry(Guid id, string who, string? why, RetryFrom? from, CancellationToken cancellationToken) => Act(id, who, why, async (run, at) =>
    {
        if (run.State == "waiting" && from is null && (await at.Attempts()).LastOrDefault(a => a.Seq == run.Cursor && a.Direction == run.Direction) is { State: "failed" })
        {
            at.What("retried", "At once.");
            await at.Execute("update engine.run set due_at = null, reason = 'Retried by ' || @Who || '.', job_id = null, job_at = now() where id = @Id");
            at.Wake(run);
            return;
        }

        if (run.State is not ("paused" or "failed" or "cancelled"))
        {
            throw new RunActionException($"Run {id} is {run.State}: only one that is paused, failed or cancelled can be retried.");
        }

        if (run.CancelledParent is { } parent)
        {
            throw new RunActionException($"Run {id} belongs to run {parent}, which was cancelled: nobody waits for it any more. Start a new run of its kind, or retry the parent.");
        }

        // A run whose changes were undone has nothing to go on from; where an undo was stopped half-way, what it had not reached is still there.
        var step = from?.Step ?? (run.State != "paused" && run.Direction < 0 ? Math.Max(1, run.Cursor) : (int?)null);
        if (from is not null)
        {
            var memory = new JournalMemory(await at.Attempts());
            var stored = JsonSerializer.Deserialize<PlanSnapshot>(run.Plan, EngineJson.Options)!;
            CheckFrom(run, stored, memory, step);
            if (from.Input is { } input)
            {
                await Edit(run, at, stored, memory, input);
            }
        }

        at.What("retried", (step ?? Math.Max(1, run.Cursor)) is var first and > 1 ? $"From step {first}." : "From the start.");
        // The one above is locked first: it lets go of the key either before, or not while this run is under way again.
        await at.Execute($"""
            select from engine.run where id = (select key_holder from engine.run where id = @Id) for share;
            update engine.step set next_try_at = now() where run_id = @Id and state = 'interrupted' and next_try_at is null;
            update engine.run set state = 'queued', fence = fence + 1, reason = 'Retried by ' || @Who || '.', finished_at = null, due_at = null, worked = '0',
                   recoveries_in_row = 0, job_id = null, job_at = now(),
                   direction = case when @step is null then direction else 1 end, cursor = coalesce(@step, cursor),
                   steps_done = coalesce(least(steps_done, @step - 1), steps_done), steps_changed = coalesce(least(steps_changed, @step - 1), steps_changed),
                   exclusive_key = coalesce(exclusive_key, {LeftKey}), key_holder = case when {LeftKey} is null then key_holder end,
                   failure = case when direction > 0 or @step is not null then null else failure end,
                   cancel_mode = case when direction > 0 or @step is not null then null else cancel_mode end
            where id = @Id
            """, new { step });
        at.Wake(run);
    }, cancellationToken);

    public Task Skip(Guid id, string who, string? why, CancellationToken cancellationToken) => Act(id, who, why, async (run, at) =>
    {
        var plan = JsonSerializer.Deserialize<PlanSnapshot>(run.Plan, EngineJson.Options)!;
        var step = run.Cursor >= 1 && run.Cursor <= plan.Steps.Count ? plan.Steps[run.Cursor - 1] : null;
        if (step is null || !(run.State == "paused" || (run.State == "waiting" && step.Kind != StepKind.Work && run.Direction > 0)))
        {
            throw new RunActionException($"Run {id} is {run.State}: only a step at which a run is paused, or for which it waits, can be skipped.");
        }

        if (run.State == "waiting" && step.Kind is StepKind.Approval or StepKind.Children)
        {
            throw new RunActionException(step.Kind == StepKind.Approval
                ? $"Step {run.Cursor}, '{step.Title}', cannot be skipped: approve or reject it."
                : $"Step {run.Cursor}, '{step.Title}', cannot be skipped while its runs are under way: cancel those that should not go on.");
        }

        if (run.Direction > 0)
        {
            await CheckNotNeeded(run, at);
        }

        at.What("skipped", $"Step {run.Cursor}, '{step.Title}'{(run.Direction < 0 ? ", is not undone" : "")}.");
        await at.EndWait();
        await at.Execute("""
            insert into engine.step (run_id, seq, direction, attempt, try, state, fence, node, summary, finished_at)
            select @Id, @Cursor, @Direction, coalesce(max(attempt), 0) + 1, 1, 'skipped', @Fence + 1, '', 'Skipped by ' || @Who || '.', now()
            from engine.step where run_id = @Id and seq = @Cursor and direction = @Direction;
            update engine.run set state = 'queued', fence = fence + 1, reason = 'Goes on after the skipped step.', cursor = cursor + direction, due_at = null, worked = '0',
                   cancel_mode = case when direction < 0 then cancel_mode end,
                   recoveries_in_row = 0, steps_done = steps_done + case when direction > 0 then 1 else 0 end, job_id = null, job_at = now()
            where id = @Id
            """, new { run.Cursor, run.Direction, run.Fence });
        at.Wake(run);
    }, cancellationToken);

    public Task SetPriority(Guid id, RunPriority priority, string who, string? why, CancellationToken cancellationToken) => Act(id, who, why, async (run, at) =>
    {
        if (!Enum.IsDefined(priority))
        {
            throw new ArgumentOutOfRangeException(nameof(priority), priority, "There is no such priority.");
        }

        if (run.HasEnded)
        {
            throw new RunActionException($"Run {id} has ended: it is {run.State}.");
        }

        at.What("reprioritised", $"To {priority.ToString().ToLowerInvariant()}.");
        await at.Execute("update engine.run set priority = @number, queue = @queue where id = @Id", new { number = (int)priority, queue = RunQueue.Of(priority) });
        if (run is { State: "queued", JobId: not null })
        {
            at.Wake(run with { Queue = RunQueue.Of(priority) });
        }
    }, cancellationToken);

    /// <summary>What comes before the chosen step must be there.</summary>
    private static void CheckFrom(ActionTarget run, PlanSnapshot stored, JournalMemory memory, int? step)
    {
        if (step < 1 || step > stored.Steps.Count)
        {
            throw new RunActionException($"Run {run.Id} has steps 1 to {stored.Steps.Count}; there is no step {step}.");
        }

        for (var seq = 1; seq < (step ?? run.Cursor); seq++)
        {
            // A failed step before the cursor was passed over, as its plan says.
            var done = memory.Latest(seq, 1) is { State: "succeeded" or "skipped" } || (seq < run.Cursor && memory.Latest(seq, 1) is { State: "failed" });
            if (!done || memory.IsUndone(seq))
            {
                throw new RunActionException($"Run {run.Id} cannot go on from step {step}: step {seq}, '{stored.Steps[seq - 1].Title}', {(memory.IsUndone(seq) ? "was undone" : "is not done")}. Retry from step {seq} or before.");
            }
        }
    }

    /// <summary>Gives the run another input, with which its plan stays as it is as far as it has begun.</summary>
    private async Task Edit(ActionTarget run, RunAction at, PlanSnapshot stored, JournalMemory memory, JsonElement given)
    {
        if (given.ValueKind == JsonValueKind.Undefined)
        {
            throw new RunActionException("The new input is no JSON at all. Give one, or none to retry with the one that the run has.");
        }

        var input = Text.Json(given);
        if (Text.KiBOverLimit(input) is { } size)
        {
            throw new RunActionException($"The new input has {size:N0} KiB as JSON; a run takes at most {Text.JsonLimit / 1024} KiB.");
        }

        var definition = catalog.Find(run.Kind) ?? throw new RunActionException($"This node knows no workflow '{run.Kind}', so it cannot check the new input.");
        BuiltPlan plan;
        try
        {
            plan = definition.Build(input);
        }
        catch (Exception fault)
        {
            throw new RunActionException(text.OneLine($"The plan of '{run.Kind}' cannot be made from the new input: {Words.Of(fault)}"));
        }

        var snapshot = plan.Snapshot();
        // The run's own key may be another than its plan's: that of a schedule whose runs queue, or none where an ancestor holds it.
        if (plan.ExclusiveKey != run.ExclusiveKey && plan.ExclusiveKey != KeyBefore(run, definition))
        {
            throw new RunActionException($"With the new input the run would hold {Key(plan.ExclusiveKey)}, not {Key(run.ExclusiveKey)}: that is another run. Start a new one.");
        }

        if (stored.FirstMisfit(snapshot, memory.StepsBegun) is { } misfit)
        {
            throw new RunActionException($"With the new input the plan is another one: step '{misfit}', already begun, is not where it was. Start a new run.");
        }

        await at.Execute("update engine.run set input = @input::json, plan = @plan::json, version = @version, steps_total = @total, title = @title where id = @Id", new
        {
            input = input.GetRawText(),
            plan = JsonSerializer.Serialize(snapshot, EngineJson.Options),
            version = definition.Version,
            total = plan.Steps.Count,
            title = text.Title(definition.Title(input)),
        });
        // What was approved or sent was meant for the former input.
        await at.Execute("delete from engine.signal where run_id = @Id and taken_at is null");
        at.Note("edited", $"With a new input. Signals and approvals sent before count no more. The former input: {text.Error(run.Input)}");
    }

    private static string Key(string? key) => key is null ? "no key" : $"'{key}'";

    private static string? KeyBefore(ActionTarget run, WorkflowDefinition definition)
    {
        try
        {
            return definition.Build(JsonSerializer.Deserialize<JsonElement>(run.Input)).ExclusiveKey;
        }
        catch (Exception)
        {
            return run.ExclusiveKey; // the former input is what is to be mended
        }
    }

    /// <summary>Asks each later step for its input, with results as far as they are known, and sees whether it reaches for that of the skipped one.</summary>
    private async Task CheckNotNeeded(ActionTarget run, RunAction at)
    {
        if (catalog.Find(run.Kind) is not { } definition)
        {
            return; // not known in this process: the step that misses the result will say so
        }

        BuiltPlan plan;
        try
        {
            plan = definition.Build(JsonSerializer.Deserialize<JsonElement>(run.Input));
        }
        catch (Exception)
        {
            return; // as the run itself will say
        }

        var outputs = (await at.Attempts()).Where(a => a is { Direction: > 0, State: "succeeded" } && a.Seq < run.Cursor).ToLookup(a => a.Seq);
        foreach (var later in plan.Steps.Skip(run.Cursor))
        {
            var probe = new ProbedResults(seq => outputs[seq].LastOrDefault()?.OutputJson, run.Cursor);
            try
            {
                if (later.Condition?.Invoke(probe) != false)
                {
                    later.Body.ResolveInput(probe);
                }
            }
            catch (Exception)
            {
                // stopped at a result that is not there yet
            }

            if (probe.Reached)
            {
                throw new RunActionException($"Step {run.Cursor} cannot be skipped: step {later.Seq}, '{later.Title}', needs its result. Retry it, or cancel the run.");
            }
        }
    }
}
