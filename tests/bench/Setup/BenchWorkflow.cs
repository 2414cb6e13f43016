using System.Collections.Concurrent;
using System.Diagnostics;
using ManagedServers.Engine;

namespace ManagedServers.Bench.Setup;

/// <summary>So many steps that do nothing; or one that waits to be cancelled or killed.</summary>
internal sealed record BenchInput(int Steps)
{
    public bool Waits { get; init; }

    public string? Subject { get; init; }
}

[Workflow("bench")]
internal sealed class BenchWorkflow : IWorkflow<BenchInput>
{
    public string Title(BenchInput input) => $"{input.Steps} steps";

    public void Describe(WorkflowPlan<BenchInput> plan)
    {
        for (var n = 1; n <= plan.Input.Steps; n++)
        {
            plan.Step($"s{n}", $"Do {n}", BenchStep.With(plan.Input));
        }
    }
}

internal sealed class BenchStep : Step<BenchStep, BenchInput, int>
{
    /// <summary>When the body of a run's first step began, by the process's clock.</summary>
    public static ConcurrentDictionary<Guid, TaskCompletionSource<long>> Begun { get; } = new();

    /// <summary>When a waiting step saw its token.</summary>
    public static ConcurrentDictionary<Guid, TaskCompletionSource<long>> Told { get; } = new();

    /// <summary>Where a waiting step says that it has begun.</summary>
    public static Action<string> Said { get; set; } = _ => { };

    public override async Task<int> Run(BenchInput input, StepContext step)
    {
        if (step.Seq == 1)
        {
            Of(Begun, step.RunId).TrySetResult(Stopwatch.GetTimestamp());
        }

        if (input.Waits)
        {
            Said($"begun {step.Attempt}");
            await using var told = step.Cancellation.Register(() => Of(Told, step.RunId).TrySetResult(Stopwatch.GetTimestamp()));
            await Task.Delay(Timeout.Infinite, step.Cancellation);
        }

        return step.Seq;
    }

    public static TaskCompletionSource<long> Of(ConcurrentDictionary<Guid, TaskCompletionSource<long>> moments, Guid run) =>
        moments.GetOrAdd(run, _ => new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously));
}
