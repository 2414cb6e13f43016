using System.Text.Json;

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
/// <param name="Needs">The steps whose results it needs, as far as is known.</param>
/// <param name="Conditional">It may be skipped when its turn comes.</param>
/// <param name="CanUndo">What it changes can be taken back.</param>
public sealed record StepPlan(int Seq, string Name, string Title, StepKind Kind, JsonElement? Input, IReadOnlyList<string> Needs, bool Conditional, bool CanUndo);

/// <summary>Makes plans for looking at.</summary>
internal sealed class RunPlanner(Text text)
{
    public RunPlan Plan(WorkflowDefinition definition, JsonElement input)
    {
        var json = Text.Json(input);
        var (plan, title) = definition.Describe(json);
        return new RunPlan(definition.Kind, definition.Version, text.Title(title), plan.ExclusiveKey, [.. plan.Steps.Select(Step)]);
    }

    private StepPlan Step(PlannedStep step)
    {
        var results = new NoResults();
        JsonElement? input;
        try
        {
            input = Text.Json(step.Body.ResolveInput(results));
        }
        catch (Exception) when (results.Asked.Count > 0)
        {
            input = null; // it reached for a result, as it may
        }

        return new StepPlan(step.Seq, step.Name, step.Title, step.Body.Kind, input, results.Asked, step.Condition is not null, step.Body.CanUndo);
    }

    private sealed class NoResults : StepResults
    {
        public List<string> Asked { get; } = [];

        public override TResult Of<TResult>(PlannedStep<TResult> step)
        {
            Asked.Add(step.Name);
            throw new StepRejectedException($"Step '{step.Name}' has no result yet.");
        }

        public override bool Has(PlannedStep step)
        {
            Asked.Add(step.Name);
            return false;
        }
    }
}
