namespace ManagedServers.Engine.Child;

/// <summary>One step that does nothing, told on the console as its run is being started.</summary>
public sealed record Scheduled(string Name);

[Workflow("scheduled")]
public sealed class ScheduledWorkflow : IWorkflow<Scheduled>
{
    public string Title(Scheduled input)
    {
        // Asked for just before the run is inserted.
        Console.WriteLine($"starts {input.Name}");
        return input.Name;
    }

    public void Describe(WorkflowPlan<Scheduled> plan) => plan.Step("tick", "Tick", ScheduledStep.With(plan.Input));
}

public sealed class ScheduledStep : Step<ScheduledStep, Scheduled, int>
{
    public override Task<int> Run(Scheduled input, StepContext step)
    {
        Console.WriteLine($"ticks {input.Name}");
        return Task.FromResult(step.Attempt);
    }
}
