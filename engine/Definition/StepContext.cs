using System.Globalization;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Engine;

/// <summary>What a step may know and say while it runs.</summary>
public abstract class StepContext
{
    /// <summary>The run.</summary>
    public abstract Guid RunId { get; }

    /// <summary>Position in the plan, from 1.</summary>
    public abstract int Seq { get; }

    /// <summary>1 for the first try.</summary>
    public abstract int Attempt { get; }

    /// <summary>An earlier attempt of this step ended without an answer (process killed, machine lost): its effect may be there.</summary>
    public abstract bool WasInterrupted { get; }

    /// <summary>The same for every attempt of this step of this run, letters, digits and dashes only: for labels of remote objects.</summary>
    public string IdempotencyKey => IdempotencyKeyOf(Seq);

    /// <summary>The <see cref="IdempotencyKey"/> of another step of this run, for a step that tidies up after it.</summary>
    /// <param name="seq">Its position, from 1.</param>
    public string IdempotencyKeyOf(int seq) => string.Create(CultureInfo.InvariantCulture, $"{RunId:N}-{seq}");

    /// <summary>How many attempts of a step of this run have succeeded: 1 and more where an operator has it done again.</summary>
    /// <param name="seq">Its position, from 1.</param>
    public abstract int SuccessesOf(int seq);

    /// <summary>Set at a cancel, a time-out, a lost lease and a stop of the node. A step that ignores it is left behind.</summary>
    public abstract CancellationToken Cancellation { get; }

    /// <summary>The cancellation is an operator's wish, not a time-out or a stop of the node: work elsewhere should be ended too.</summary>
    public abstract bool CancelledByOperator { get; }

    /// <summary>Writes a line to the run's log. Lines over 4 KiB are cut.</summary>
    public abstract void Log(string message, LogLevel level = LogLevel.Information);

    /// <summary>Says how far the step is.</summary>
    /// <param name="fraction">0 to 1.</param>
    /// <param name="note">A few words, for example "12 of 19 MB".</param>
    public abstract void Progress(double fraction, string? note = null);

    /// <summary>Says in one line what the step changed; shown beside the step. The last call wins.</summary>
    public abstract void Changed(string what);

    /// <summary>Says in one line why nothing had to be changed. A run whose steps all say so ends as "nothing changed".</summary>
    public abstract void Unchanged(string what);
}

/// <summary>Results of the steps before this one, typed.</summary>
public abstract class StepResults
{
    /// <summary>The journalled result of an earlier step. Throws when that step was skipped.</summary>
    public abstract TResult Of<TResult>(PlannedStep<TResult> step) where TResult : notnull;

    /// <summary>Whether that step has a result: false when it was skipped, or failed and was passed over.</summary>
    public abstract bool Has(PlannedStep step);
}
