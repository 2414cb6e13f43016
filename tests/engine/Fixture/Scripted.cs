using System.Collections.Concurrent;
using System.Text.Json.Serialization;

namespace ManagedServers.Engine.Tests;

/// <summary>A step of a test's plan.</summary>
public sealed record Spec(string Name)
{
    public int Tries { get; init; } = 1;
    public int WaitMs { get; init; } = 1;
    public int TimeoutMs { get; init; } = 60_000;
    public StepFailure OnFailure { get; init; } = StepFailure.Pause;
    public Interruption WhenInterrupted { get; init; } = Interruption.RunAgain;
    public string? Needs { get; init; }
    public bool? When { get; init; }

    /// <summary>Left out where it is not so: plans of many steps are just below the limit of an input.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool WhenFails { get; init; }
    public string? Payload { get; init; }
    public bool Plain { get; init; }

    public static implicit operator Spec(string name) => new(name);
}

/// <summary>The plan of a test's run.</summary>
public sealed record Script(IReadOnlyList<Spec> Steps)
{
    public string? Key { get; init; }
    public int? TimeoutMs { get; init; }
    public string Title { get; init; } = "a test";
}

[Workflow("scripted")]
public sealed class ScriptedWorkflow : IWorkflow<Script>
{
    public string Title(Script input) => input.Title;

    public void Describe(WorkflowPlan<Script> plan)
    {
        if (plan.Input.Key is { } key)
        {
            plan.Exclusive(key);
        }

        if (plan.Input.TimeoutMs is { } limit)
        {
            plan.Timeout(TimeSpan.FromMilliseconds(limit));
        }

        var planned = new Dictionary<string, PlannedStep<string>>();
        foreach (var spec in plan.Input.Steps)
        {
            var payload = spec.Payload ?? spec.Name;
            var body = spec.Plain ? PlainStep.With(new Told(spec.Name, payload))
                : spec.Needs is { } needed ? ScriptedStep.With(r => new Told(spec.Name, r.Of(planned[needed])))
                : ScriptedStep.With(new Told(spec.Name, payload));
            var step = plan.Step(spec.Name, $"Do {spec.Name}", body)
                .Retry(Backoff.Fixed(spec.Tries, TimeSpan.FromMilliseconds(spec.WaitMs)))
                .Timeout(TimeSpan.FromMilliseconds(spec.TimeoutMs)).OnFailure(spec.OnFailure).WhenInterrupted(spec.WhenInterrupted);
            planned[spec.Name] = spec.WhenFails ? step.When(_ => throw new InvalidOperationException("no such condition")) : spec.When is { } when ? step.When(_ => when) : step;
        }
    }
}

public sealed record Told(string Name, string Payload);

/// <summary>What the steps of a test do; its own for each test's node.</summary>
public sealed class Actors
{
    private readonly ConcurrentDictionary<string, Func<StepContext, Told, Task<string>>> run = new();
    private readonly ConcurrentDictionary<string, Func<StepContext, string?, Task>> undo = new();

    /// <summary>Calls in order: "a", "b", "undo b (b)".</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    public Actors On(string step, Func<StepContext, Told, Task<string>> body) { run[step] = body; return this; }

    public Actors On(string step, Func<StepContext, Task> body) => On(step, async (context, told) => { await body(context); return told.Name; });

    public Actors OnUndo(string step, Func<StepContext, string?, Task> body) { undo[step] = body; return this; }

    public Task<string> Run(StepContext step, Told told)
    {
        Calls.Enqueue(told.Name);
        return run.TryGetValue(told.Name, out var body) ? body(step, told) : Task.FromResult(told.Payload);
    }

    public Task Undo(StepContext step, Told told, string? made)
    {
        Calls.Enqueue($"undo {told.Name} ({made ?? "nothing known"})");
        return undo.TryGetValue(told.Name, out var body) ? body(step, made) : Task.CompletedTask;
    }
}

public sealed class ScriptedStep(Actors actors) : Step<ScriptedStep, Told, string>, IUndoable<Told, string>
{
    public override Task<string> Run(Told input, StepContext step) => actors.Run(step, input);

    public Task Undo(Told input, string? made, StepContext step) => actors.Undo(step, input, made);
}

/// <summary>One that cannot be undone.</summary>
public sealed class PlainStep(Actors actors) : Step<PlainStep, Told, string>
{
    public override Task<string> Run(Told input, StepContext step) => actors.Run(step, input);
}
