using System.Reflection;
using System.Text.Json;

namespace ManagedServers.Engine;

/// <summary>Somebody's yes to a step that waits for approval.</summary>
/// <param name="Who">Who approved.</param>
/// <param name="Why">The reason given.</param>
public sealed record Approval(string Who, string? Why);

/// <summary>A run to start from within a run.</summary>
/// <typeparam name="TInput">Its workflow's input.</typeparam>
/// <param name="Input">Its input.</param>
/// <param name="Subject">What it is about; runs can be listed by it.</param>
public sealed record ChildStart<TInput>(TInput Input, string? Subject = null) where TInput : notnull;

/// <summary>What a step of child runs gives: every child's end, in the order of the inputs.</summary>
/// <param name="Runs">One for each input.</param>
public sealed record ChildRuns(IReadOnlyList<ChildRun> Runs);

/// <summary>A child run that has succeeded.</summary>
/// <param name="Id">The run.</param>
/// <param name="Reason">What it said at its end.</param>
public sealed record ChildRun(Guid Id, string? Reason);

/// <summary>Waits until somebody sends the signal, an approval being one.</summary>
internal abstract class SignalBody<TSignal> : PlannedBody<TSignal>, ISignalled where TSignal : notnull
{
    internal override string TypeName => $"{Kind}<{typeof(TSignal).Name}>";

    internal override bool CanUndo => false;

    internal override JsonElement ResolveInput(StepResults results) => Empty.Json;

    public string? Misfit(JsonElement payload)
    {
        try
        {
            return payload.Deserialize<TSignal>(EngineJson.Options) is null ? "it is null" : null;
        }
        catch (JsonException fault)
        {
            return fault.Message;
        }
    }
}

internal sealed class AnySignal<TSignal> : SignalBody<TSignal> where TSignal : notnull
{
    internal override StepKind Kind => StepKind.Signal;
}

internal sealed class ApprovalSignal : SignalBody<Approval>
{
    internal override StepKind Kind => StepKind.Approval;
}

/// <summary>A signal's type, forgotten.</summary>
internal interface ISignalled
{
    /// <summary>Why the payload is not what the step waits for; null when it is.</summary>
    string? Misfit(JsonElement payload);
}

internal sealed class TimerBody : PlannedBody<Nothing>
{
    internal override StepKind Kind => StepKind.Timer;

    internal override string TypeName => nameof(StepKind.Timer);

    internal override bool CanUndo => false;

    internal override JsonElement ResolveInput(StepResults results) => Empty.Json;
}

/// <summary>What a step of child runs journals as its input.</summary>
internal sealed record ChildrenInput(string Kind, int AtOnce, IReadOnlyList<ChildStart<JsonElement>> Runs);

internal sealed class ChildrenBody<TWorkflow, TChild>(Func<StepResults, IReadOnlyList<ChildStart<TChild>>> starts, int atOnce) : PlannedBody<ChildRuns>
    where TWorkflow : IWorkflow<TChild>
    where TChild : notnull
{
    private static readonly string ChildKind = typeof(TWorkflow).GetCustomAttribute<WorkflowAttribute>()?.Kind
        ?? throw new InvalidOperationException($"{typeof(TWorkflow).Name} has no [Workflow(kind, version)] attribute.");

    internal override StepKind Kind => StepKind.Children;

    internal override string TypeName => $"{nameof(StepKind.Children)}<{ChildKind}>";

    // Undoing it ends the children that are still under way; what ended children did is their own.
    internal override bool CanUndo => true;

    internal override JsonElement ResolveInput(StepResults results) => JsonSerializer.SerializeToElement(new ChildrenInput(ChildKind, atOnce,
        [.. starts(results).Select(s => new ChildStart<JsonElement>(JsonSerializer.SerializeToElement(s.Input, EngineJson.Options), s.Subject))]), EngineJson.Options);
}

internal static class Empty
{
    public static JsonElement Json { get; } = JsonSerializer.SerializeToElement(new { });
}
