namespace ManagedServers.Engine;

/// <summary>
/// One named part of a workflow: a small class with injected dependencies, a typed input and a typed result.
/// It may run more than once (at least once); its journalled result is kept exactly once. So: look, then act.
/// </summary>
/// <typeparam name="TStep">The step's own class, which lets <see cref="With(TInput)"/> infer every type.</typeparam>
/// <typeparam name="TInput">What it is given; serialised into the journal, so it holds no secrets.</typeparam>
/// <typeparam name="TResult">What it gives back; serialised into the journal, at most 256 KiB.</typeparam>
public abstract class Step<TStep, TInput, TResult>
    where TStep : Step<TStep, TInput, TResult>
    where TInput : notnull
    where TResult : notnull
{
    /// <summary>Plans this step with an input known when the run starts.</summary>
    public static PlannedBody<TResult> With(TInput input) => new StepBody<TStep, TInput, TResult>(_ => input);

    /// <summary>Plans this step with an input made from the results of earlier steps.</summary>
    public static PlannedBody<TResult> With(Func<StepResults, TInput> input) => new StepBody<TStep, TInput, TResult>(input);

    /// <summary>
    /// Does the work. Throw <see cref="StepRejectedException"/> where trying again cannot help; any other exception is retried as planned.
    /// </summary>
    public abstract Task<TResult> Run(TInput input, StepContext step);
}

/// <summary>A step that can take back what it changed.</summary>
/// <typeparam name="TInput">The step's input.</typeparam>
/// <typeparam name="TResult">The step's result.</typeparam>
public interface IUndoable<in TInput, in TResult>
{
    /// <summary>
    /// Takes the change back. Must look before it acts: it is also called for the step that failed or was interrupted half-way,
    /// and then <paramref name="made"/> is null because nobody knows how far it came.
    /// </summary>
    Task Undo(TInput input, TResult? made, StepContext step);
}

/// <summary>A step that can tell, after an interruption, whether its work was done: then it is not done again.</summary>
/// <typeparam name="TInput">The step's input.</typeparam>
/// <typeparam name="TResult">The step's result.</typeparam>
public interface IVerifiable<in TInput, TResult> where TResult : notnull
{
    /// <summary>Asked before the step runs again, when an earlier attempt ended without an answer.</summary>
    Task<Verdict<TResult>> Verify(TInput input, StepContext step);
}

/// <summary>What an <see cref="IVerifiable{TInput, TResult}"/> found.</summary>
/// <typeparam name="TResult">The step's result.</typeparam>
public readonly record struct Verdict<TResult> where TResult : notnull
{
    private Verdict(bool done, TResult? result) => (IsDone, Result) = (done, result);

    /// <summary>The work was done.</summary>
    public bool IsDone { get; }

    /// <summary>What the step would have given.</summary>
    public TResult? Result { get; }

    /// <summary>The work was done, and this is its result.</summary>
    public static Verdict<TResult> Done(TResult result) => new(true, result);

    /// <summary>It was not, or not all of it: the step runs again.</summary>
    public static Verdict<TResult> NotDone => default;
}

/// <summary>For steps that have nothing to tell the steps after them.</summary>
public sealed record Nothing
{
    /// <summary>The only value.</summary>
    public static Nothing Value { get; } = new();
}

/// <summary>The step cannot succeed by trying again: bad input, a refused password, a missing right. Its message is shown to operators.</summary>
public class StepRejectedException : Exception
{
    /// <summary>Says what was tried, on what, what came back and what to do.</summary>
    public StepRejectedException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>Nobody can know whether the work was done, and doing it twice might harm: the run pauses and asks, whatever the step's failure means otherwise.</summary>
public sealed class StepUncertainException : StepRejectedException
{
    /// <summary>Says what is known, what is not, where to look, and what a retry would do.</summary>
    public StepUncertainException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>Thrown by an undo: the change is there, and cannot be taken back from here. The way back goes on without it, and the end of the run names the step.</summary>
public sealed class StepStaysException : StepRejectedException
{
    /// <summary>Says why, and who can.</summary>
    public StepStaysException(string message, Exception? inner = null) : base(message, inner) { }
}
