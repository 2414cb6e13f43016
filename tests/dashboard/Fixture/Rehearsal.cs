using System.Collections.Concurrent;
using ManagedServers.Engine;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Dashboard.Tests;

/// <summary>What one step of a rehearsal does, in this order.</summary>
public sealed record Part
{
    public required string Title { get; init; }
    public IReadOnlyList<string> Says { get; init; } = [];
    public string? Warns { get; init; }
    public double? Progress { get; init; }
    public string? Note { get; init; }

    /// <summary>Waits until the test opens this gate.</summary>
    public string? Gate { get; init; }

    /// <summary>Waits until somebody approves; nothing else of the part happens.</summary>
    public bool Asks { get; init; }

    /// <summary>Rejected with these words, unless <see cref="Retried"/>.</summary>
    public string? FailsWith { get; init; }

    /// <summary>The failure is one that the engine tries again, minutes later.</summary>
    public bool Retried { get; init; }
    public string? Changed { get; init; }
    public string? Unchanged { get; init; }
}

/// <summary>A run that a test plays.</summary>
public sealed record Rehearsal(string Title, IReadOnlyList<Part> Parts);

[Workflow("rehearsal")]
public sealed class RehearsalWorkflow : IWorkflow<Rehearsal>
{
    public string Title(Rehearsal input) => input.Title;

    public void Describe(WorkflowPlan<Rehearsal> plan)
    {
        foreach (var (index, part) in plan.Input.Parts.Index())
        {
            if (part.Asks)
            {
                plan.Approve($"part-{index + 1}", part.Title, TimeSpan.FromDays(1));
                continue;
            }

            plan.Step($"part-{index + 1}", part.Title, RehearsalStep.With(part)).Retry(Backoff.Fixed(3, TimeSpan.FromMinutes(5)));
        }
    }
}

public sealed class RehearsalStep : Step<RehearsalStep, Part, Nothing>, IUndoable<Part, Nothing>
{
    public override async Task<Nothing> Run(Part input, StepContext step)
    {
        foreach (var line in input.Says)
        {
            step.Log(line);
        }

        if (input.Warns is { } warning)
        {
            step.Log(warning, LogLevel.Warning);
        }

        if (input.Progress is { } progress)
        {
            step.Progress(progress, input.Note);
        }

        if (input.Gate is { } gate)
        {
            await Gates.Passed(gate).WaitAsync(step.Cancellation);
        }

        if (input.FailsWith is { } words)
        {
            throw input.Retried ? new IOException(words) : new StepRejectedException(words);
        }

        if (input.Changed is { } changed)
        {
            step.Changed(changed);
        }

        if (input.Unchanged is { } unchanged)
        {
            step.Unchanged(unchanged);
        }

        return Nothing.Value;
    }

    public Task Undo(Part input, Nothing? made, StepContext step) => Task.CompletedTask;
}

/// <summary>Where steps wait for their test.</summary>
public static class Gates
{
    private static readonly ConcurrentDictionary<string, TaskCompletionSource> All = new();

    public static Task Passed(string gate) => Of(gate).Task;

    public static void Open(string gate) => Of(gate).TrySetResult();

    public static void OpenAll()
    {
        foreach (var gate in All.Values)
        {
            gate.TrySetResult();
        }
    }

    private static TaskCompletionSource Of(string gate) => All.GetOrAdd(gate, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
