using System.Text.Json;

namespace ManagedServers.Engine;

/// <summary>The results of a run's steps as they stand in its journal.</summary>
internal class JournalledResults(Func<int, JsonElement?> output) : StepResults
{
    public override TResult Of<TResult>(PlannedStep<TResult> step) => Output(step) is { } json
        ? json.Deserialize<TResult>(EngineJson.Options)!
        : throw new StepRejectedException($"The result of step {step.Seq} '{step.Name}' is needed, but that step was skipped or failed and has none.");

    public override bool Has(PlannedStep step) => Output(step) is not null;

    protected virtual JsonElement? Output(PlannedStep step) => output(step.Seq);
}
