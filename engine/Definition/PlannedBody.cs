using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Engine;

/// <summary>What a step of a plan is: work, or a wait for something.</summary>
public enum StepKind
{
    /// <summary>Code that does something.</summary>
    Work,

    /// <summary>Waits for a signal from outside.</summary>
    Signal,

    /// <summary>Waits until somebody approves or rejects.</summary>
    Approval,

    /// <summary>Waits for a time.</summary>
    Timer,

    /// <summary>Starts runs of its own and waits for them.</summary>
    Children,
}

/// <summary>What a step does, together with its input; made by <c>SomeStep.With(…)</c> or by the plan itself.</summary>
public abstract class PlannedBody
{
    private protected PlannedBody() { }

    internal abstract StepKind Kind { get; }

    /// <summary>Stored with the plan: a step whose class is another one after a deploy is another step.</summary>
    internal abstract string TypeName { get; }

    internal abstract bool CanUndo { get; }

    /// <summary>The input as it will be journalled.</summary>
    internal abstract JsonElement ResolveInput(StepResults results);
}

/// <summary>A body whose result has a type.</summary>
/// <typeparam name="TResult">The result.</typeparam>
public abstract class PlannedBody<TResult> : PlannedBody where TResult : notnull
{
    private protected PlannedBody() { }
}

/// <summary>A step's class, its types forgotten.</summary>
internal interface IWork
{
    Task<JsonElement> Run(IServiceProvider services, JsonElement input, StepContext step);

    Task Undo(IServiceProvider services, JsonElement input, JsonElement? made, StepContext step);

    /// <summary>Null when the step cannot tell what it would do.</summary>
    Task<(StepPreview Shown, JsonElement? Result)?> Preview(IServiceProvider services, JsonElement input, CancellationToken cancellationToken);
}

internal sealed class StepBody<TStep, TInput, TResult>(Func<StepResults, TInput> input) : PlannedBody<TResult>, IWork
    where TStep : Step<TStep, TInput, TResult>
    where TInput : notnull
    where TResult : notnull
{
    // Nobody could tell "it never made anything" from "it made 0".
    private readonly Func<StepResults, TInput> input = typeof(TResult).IsValueType && typeof(IUndoable<TInput, TResult>).IsAssignableFrom(typeof(TStep))
        ? throw new InvalidOperationException($"{typeof(TStep).Name} can be undone, so its result must be a class: an undo is given null where the step never came to its end.")
        : input;

    internal override StepKind Kind => StepKind.Work;

    internal override string TypeName => typeof(TStep).Name;

    internal override bool CanUndo => typeof(IUndoable<TInput, TResult>).IsAssignableFrom(typeof(TStep));

    internal override JsonElement ResolveInput(StepResults results) => JsonSerializer.SerializeToElement(input(results), EngineJson.Options);

    public async Task<JsonElement> Run(IServiceProvider services, JsonElement input, StepContext step)
    {
        var instance = ActivatorUtilities.CreateInstance<TStep>(services);
        var given = input.Deserialize<TInput>(EngineJson.Options)!;
        var found = await Look(instance, given, step);
        var result = found.IsDone ? found.Result! : await instance.Run(given, step);
        try
        {
            return JsonSerializer.SerializeToElement(result, EngineJson.Options);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            throw new StepRejectedException(
                $"The step did its work, but its result ({typeof(TResult).Name}) cannot be journalled because it does not serialise to JSON: {fault.Message}", fault);
        }
    }

    public Task Undo(IServiceProvider services, JsonElement input, JsonElement? made, StepContext step)
    {
        var instance = (IUndoable<TInput, TResult>)(object)ActivatorUtilities.CreateInstance<TStep>(services);
        return instance.Undo(input.Deserialize<TInput>(EngineJson.Options)!, made is { } m ? m.Deserialize<TResult>(EngineJson.Options) : default, step);
    }

    public async Task<(StepPreview Shown, JsonElement? Result)?> Preview(IServiceProvider services, JsonElement input, CancellationToken cancellationToken)
    {
        if (!typeof(IPreviewable<TInput, TResult>).IsAssignableFrom(typeof(TStep)))
        {
            return null;
        }

        var instance = (IPreviewable<TInput, TResult>)(object)ActivatorUtilities.CreateInstance<TStep>(services);
        var found = await instance.Preview(input.Deserialize<TInput>(EngineJson.Options)!, cancellationToken);
        JsonElement? result = found.Result is { } known ? JsonSerializer.SerializeToElement(known, EngineJson.Options) : null;
        return (new StepPreview { Changes = found.Changes, Note = found.Note }, result);
    }

    private static async Task<Verdict<TResult>> Look(TStep instance, TInput input, StepContext step)
    {
        if (!step.WasInterrupted || instance is not IVerifiable<TInput, TResult> verifiable)
        {
            return Verdict<TResult>.NotDone;
        }

        var found = await verifiable.Verify(input, step);
        if (found.IsDone)
        {
            step.Log("The interrupted attempt had done its work: it is not done again.");
        }

        return found;
    }
}
