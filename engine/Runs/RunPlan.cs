using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Engine;

/// <summary>What a run would do.</summary>
/// <param name="Kind">The workflow.</param>
/// <param name="Version">Of its plan.</param>
/// <param name="Title">What it would be called.</param>
/// <param name="ExclusiveKey">What it would hold.</param>
/// <param name="Steps">All steps, in order.</param>
public sealed record RunPlan(string Kind, int Version, string Title, string? ExclusiveKey, IReadOnlyList<StepPlan> Steps);

/// <summary>What a step would do.</summary>
/// <param name="Seq">Position, from 1.</param>
/// <param name="Name">Name in the plan.</param>
/// <param name="Title">Title for operators.</param>
/// <param name="Kind">Work, or what it waits for.</param>
/// <param name="Input">Its input; null when it is made from results that are not there yet.</param>
/// <param name="Needs">The steps whose results it needs and that are not there yet, as far as is known.</param>
/// <param name="Conditional">It may be skipped when its turn comes.</param>
/// <param name="CanUndo">What it changes can be taken back.</param>
/// <param name="OnFailure">What its failure means for the run.</param>
/// <param name="Preview">What it would change; null when it was not asked, or cannot tell.</param>
public sealed record StepPlan(
    int Seq, string Name, string Title, StepKind Kind, JsonElement? Input, IReadOnlyList<string> Needs, bool Conditional, bool CanUndo, StepFailure OnFailure, StepPreview? Preview = null);

/// <summary>What a step would change, as it looks now.</summary>
public sealed record StepPreview
{
    /// <summary>What would be different after it; empty for nothing.</summary>
    public IReadOnlyList<PlannedChange> Changes { get; init; } = [];

    /// <summary>What else is worth knowing.</summary>
    public string? Note { get; init; }

    /// <summary>Its condition does not hold: it would be skipped.</summary>
    public bool Skipped { get; init; }

    /// <summary>How it would fail.</summary>
    public string? Failure { get; init; }

    /// <summary>Why it could not look.</summary>
    public string? Unknown { get; init; }
}

/// <summary>Makes plans for looking at.</summary>
internal sealed class RunPlanner(Text text, IServiceScopeFactory scopes)
{
    public RunPlan Plan(WorkflowDefinition definition, JsonElement input)
    {
        var (plan, shown) = Build(definition, input);
        return shown with { Steps = [.. plan.Steps.Select(s => Step(s, new KnownResults(new Dictionary<int, JsonElement>())))] };
    }

    public async Task<RunPlan> Preview(WorkflowDefinition definition, JsonElement input, CancellationToken cancellationToken)
    {
        var (plan, shown) = Build(definition, input);
        Dictionary<int, JsonElement> known = [];
        List<StepPlan> steps = [];
        await using var scope = scopes.CreateAsyncScope();
        var ends = false;
        foreach (var planned in plan.Steps)
        {
            var step = Step(planned, new KnownResults(known));
            // What comes after a step that fails is not reached; what comes after one that could not look would most likely wait in vain for the same.
            var preview = ends ? null : await Preview(planned, step, known, scope.ServiceProvider, cancellationToken);
            steps.Add(step with { Preview = preview });
            ends |= preview is { Unknown: not null } || (preview is { Failure: not null } && step.OnFailure != StepFailure.Continue);
        }

        return shown with { Steps = steps };
    }

    private (BuiltPlan, RunPlan) Build(WorkflowDefinition definition, JsonElement input)
    {
        var json = Text.Json(input);
        var (plan, title) = definition.Describe(json);
        return (plan, new RunPlan(definition.Kind, definition.Version, text.Title(title), plan.ExclusiveKey, []));
    }

    private static StepPlan Step(PlannedStep step, KnownResults results)
    {
        JsonElement? input;
        try
        {
            input = Text.Json(step.Body.ResolveInput(results));
        }
        catch (Exception) when (results.Asked.Count > 0)
        {
            input = null; // it reached for a result, as it may
        }

        return new StepPlan(step.Seq, step.Name, step.Title, step.Body.Kind, input, results.Asked, step.Condition is not null, step.Body.CanUndo, step.FailurePolicy);
    }

    private async Task<StepPreview?> Preview(PlannedStep planned, StepPlan step, Dictionary<int, JsonElement> known, IServiceProvider services, CancellationToken cancellationToken)
    {
        try
        {
            var results = new KnownResults(known);
            if (planned.Condition is { } condition && !condition(results) && results.Asked.Count == 0)
            {
                return new StepPreview { Skipped = true };
            }

            if (planned.Body is not IWork work || step.Input is not { } input || await work.Preview(services, input, cancellationToken) is not var (shown, result))
            {
                return null;
            }

            if (result is { } r)
            {
                known[planned.Seq] = r;
            }

            return shown with { Note = shown.Note is { } note ? text.Summary(note) : null, Changes = [.. shown.Changes.Select(c => c with { Name = text.Summary(c.Name), Detail = c.Detail is { } detail ? text.Detail(detail) : null })] };
        }
        catch (StepRejectedException rejection)
        {
            return new StepPreview { Failure = text.Error(rejection.Message) };
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            return new StepPreview { Unknown = text.Error(fault.Message) };
        }
    }

    /// <summary>Notes which results were asked for in vain.</summary>
    private sealed class KnownResults(IReadOnlyDictionary<int, JsonElement> known) : JournalledResults(seq => known.TryGetValue(seq, out var output) ? output : null)
    {
        public List<string> Asked { get; } = [];

        protected override JsonElement? Output(PlannedStep step)
        {
            var output = base.Output(step);
            if (output is null)
            {
                Asked.Add(step.Name);
            }

            return output;
        }
    }
}
