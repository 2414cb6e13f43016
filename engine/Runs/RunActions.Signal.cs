using System.Text.Json;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>What is sent to a step that waits for approval.</summary>
internal sealed record Decision(bool Approved);

/// <content>Signals and decisions for steps that wait.</content>
internal sealed partial class RunActions
{
    public Task Decide(Guid id, string step, bool approved, string who, string? why, CancellationToken cancellationToken) =>
        Send(id, step, JsonSerializer.SerializeToElement(new Decision(approved), EngineJson.Options), StepKind.Approval, approved ? "approved" : "rejected", who, why, cancellationToken);

    public Task Signal(Guid id, string step, JsonElement payload, string who, string? why, CancellationToken cancellationToken) =>
        Send(id, step, Text.Json(payload), StepKind.Signal, "signalled", who, why, cancellationToken);

    private Task Send(Guid id, string step, JsonElement payload, StepKind kind, string what, string who, string? why, CancellationToken cancellationToken) => Act(id, who, why, async (run, at) =>
    {
        if (run.HasEnded)
        {
            throw new RunActionException($"Run {id} has ended: it is {run.State}. Nobody waits for '{step}' any more.");
        }

        var seq = WaitingStep(run, step, kind);
        Check(run, step, payload, kind);
        at.What(what, $"Step {seq}, '{step}'.");
        try
        {
            await at.Execute("""
                insert into engine.signal (run_id, step, payload, who, why) values (@Id, @step, @payload::json, @Who, @Why);
                update engine.run set wakes = wakes + 1, due_at = case when state = 'waiting' and cursor = @seq and direction > 0 then now() else due_at end where id = @Id
                """, new { step, payload = payload.GetRawText(), seq });
        }
        catch (PostgresException e) when (e is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "signal_untaken" })
        {
            throw new RunActionException($"Run {id} has been sent '{step}' already; it is taken when its step is reached.");
        }

        if (run is { State: "waiting", Direction: > 0 } && run.Cursor == seq)
        {
            at.Wake(run);
        }
    }, cancellationToken);

    private static int WaitingStep(ActionTarget run, string step, StepKind kind)
    {
        var steps = JsonSerializer.Deserialize<PlanSnapshot>(run.Plan, EngineJson.Options)!.Steps;
        var seq = steps.Index().FirstOrDefault(s => s.Item.Name == step && s.Item.Kind == kind, (-1, null!)).Index + 1;
        if (seq == 0)
        {
            var such = steps.Where(s => s.Kind == kind).Select(s => $"'{s.Name}'").ToList();
            throw new RunActionException($"Run {run.Id} has no step '{step}' that waits for {(kind == StepKind.Approval ? "an approval" : "a signal")}"
                + (such.Count == 0 ? "; none of its steps does." : $". Those that do: {string.Join(", ", such)}."));
        }

        return run.Direction > 0 && seq >= run.Cursor
            ? seq
            : throw new RunActionException($"Run {run.Id} {(run.Direction < 0 ? "is being undone" : $"is past step {seq}")}: nobody waits for '{step}' any more.");
    }

    private void Check(ActionTarget run, string step, JsonElement payload, StepKind kind)
    {
        if (Text.KiBOverLimit(payload) is { } size)
        {
            throw new RunActionException($"The signal '{step}' has {size:N0} KiB as JSON; at most {Text.JsonLimit / 1024} KiB are taken.");
        }

        if (kind == StepKind.Signal && catalog.Find(run.Kind) is { } definition
            && Plan(run, definition).Steps.FirstOrDefault(s => s.Name == step)?.Body is ISignalled signalled
            && signalled.Misfit(payload) is { } misfit)
        {
            throw new RunActionException($"The signal '{step}' is not what its step waits for: {text.OneLine(misfit)}");
        }
    }

    private BuiltPlan Plan(ActionTarget run, WorkflowDefinition definition)
    {
        try
        {
            return definition.Build(JsonSerializer.Deserialize<JsonElement>(run.Input));
        }
        catch (Exception fault)
        {
            throw new RunActionException(text.OneLine($"The plan of '{run.Kind}' version {definition.Version} cannot be made from the input of run {run.Id}, so nobody knows what its step waits for: {Words.Of(fault)}"));
        }
    }
}
