namespace ManagedServers.Engine.Child;

/// <param name="Runs">Runs that are started, each with one effect.</param>
public sealed record Wave(int Runs, int AtOnce, int Ms);

[Workflow("wave-of-effects")]
public sealed class WaveWorkflow : IWorkflow<Wave>
{
    public string Title(Wave input) => $"a wave of {input.Runs}";

    public void Describe(WorkflowPlan<Wave> plan) => plan.Children<EffectsWorkflow, Effects>("wave", "A few at a time",
        [.. Enumerable.Range(1, plan.Input.Runs).Select(n => new ChildStart<Effects>(new Effects([new Effect("child", plan.Input.Ms)]), $"child {n}"))], plan.Input.AtOnce);
}
