using System.Text.Json;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>What a run is started with, beside its input. Texts have 1 to 200 characters, none of them NUL or half of a surrogate pair; others are refused.</summary>
public sealed record StartRun
{
    /// <summary>Who asks: kept in the audit.</summary>
    public required string RequestedBy { get; init; }

    /// <summary>What it is about; runs can be listed by it.</summary>
    public string? Subject { get; init; }

    /// <summary>A second start with the same key gives the first run. Those that begin with <c>child:</c> or <c>schedule:</c> are the engine's own, and refused.</summary>
    public string? DedupeKey { get; init; }

    /// <summary>Who goes first when workers or keys are short. Child runs have that of their parent.</summary>
    public RunPriority Priority { get; init; }

    /// <summary>In place of <see cref="DedupeKey"/>: what the engine itself starts.</summary>
    internal string? OwnKey { get; init; }

    /// <summary>Held by the run when its plan names no exclusive key.</summary>
    internal string? KeyIfNone { get; init; }
}

/// <summary>Who goes first when workers or keys are short.</summary>
public enum RunPriority
{
    /// <summary>After all others.</summary>
    Low = -1,

    /// <summary>The default.</summary>
    Normal = 0,

    /// <summary>Before all others.</summary>
    High = 1,
}

/// <summary>The answer to a start.</summary>
/// <param name="Id">The run.</param>
/// <param name="Existing">True when the dedupe key had started it before.</param>
public sealed record StartedRun(Guid Id, bool Existing);

/// <summary>Which runs to list, newest first.</summary>
public sealed record RunFilter
{
    /// <summary>Only these states; empty for all.</summary>
    public IReadOnlyList<RunState> States { get; init; } = [];

    /// <summary>Only this workflow.</summary>
    public string? Kind { get; init; }

    /// <summary>Only this subject.</summary>
    public string? Subject { get; init; }

    /// <summary>Only child runs of this run.</summary>
    public Guid? Parent { get; init; }

    /// <summary>Only runs older than this one (the last of the page before).</summary>
    public Guid? Before { get; init; }

    /// <summary>Page size, 1 to 200.</summary>
    public int Limit { get; init; } = 50;
}

/// <summary>How a run is cancelled.</summary>
public enum CancelMode
{
    /// <summary>Stop; leave what was done.</summary>
    Stop,

    /// <summary>Stop, then take back what was done.</summary>
    Undo,
}

/// <summary>Where a retried run goes on.</summary>
public sealed record RetryFrom
{
    /// <summary>Position of the step, from 1; null: where it stands. The steps before it must be done.</summary>
    public int? Step { get; init; }

    /// <summary>A new input for the run, which must make the same plan as far as it has begun; null: the one it has.</summary>
    public JsonElement? Input { get; init; }
}

/// <summary>The run does not exist, or is not in a state for what was asked; the message says which and what to do.</summary>
public sealed class RunActionException(string message) : Exception(message);

/// <summary>What an action would do to a run.</summary>
/// <param name="Run">The run.</param>
/// <param name="What">In one word, as the audit would have it; empty where everything was done before.</param>
/// <param name="Detail">More about it.</param>
/// <param name="Before">Where the run stands.</param>
/// <param name="After">Where it would stand.</param>
/// <param name="Step">At which step it would stand, from 1.</param>
/// <param name="Undoing">It would take back what it did.</param>
public sealed record RehearsedAction(Guid Run, string What, string? Detail, RunState Before, RunState After, int Step, bool Undoing);

/// <summary>What operators do to runs. Every action is audited with who and why.</summary>
public interface IRunActions
{
    /// <summary>Cancels a run: queued and waiting ones at once, a running one as soon as its step lets go. A stop that is asked for again changes nothing; one asked for after an undo ends the undo.</summary>
    /// <exception cref="RunActionException">Unknown run, or already ended; or an undo is asked for and the run is being undone or cancelled already.</exception>
    /// <exception cref="ArgumentException">There is no such mode.</exception>
    Task Cancel(Guid id, CancelMode mode, string who, string? why = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Lets a paused, failed or cancelled run go on: from the step at which it stands (from the start when its changes were undone), or from where
    /// <paramref name="from"/> says. A run that waits for its next try makes it at once.
    /// </summary>
    /// <exception cref="RunActionException">Unknown run; not in such a state; a step before the chosen one is not done; the new input makes another plan.</exception>
    Task Retry(Guid id, string who, string? why = null, RetryFrom? from = null, CancellationToken cancellationToken = default);

    /// <summary>Skips the step at which a run is paused, or for which it waits, and lets it go on after it.</summary>
    /// <exception cref="RunActionException">Unknown run, not paused or waiting, or a later step needs the result.</exception>
    Task Skip(Guid id, string who, string? why = null, CancellationToken cancellationToken = default);

    /// <summary>Changes who goes first; a queued run moves to its new queue at once.</summary>
    /// <exception cref="RunActionException">Unknown run, or already ended.</exception>
    /// <exception cref="ArgumentException">There is no such priority.</exception>
    Task SetPriority(Guid id, RunPriority priority, string who, string? why = null, CancellationToken cancellationToken = default);

    /// <summary>Sends a signal to the step of that name; kept until its wait when it comes before.</summary>
    /// <param name="id">The run.</param>
    /// <param name="step">The name of a step planned with <see cref="WorkflowPlan{TInput}.WaitFor"/>.</param>
    /// <param name="payload">What the step gives as its result; at most 256 KiB as JSON.</param>
    /// <param name="who">Who sends it: kept in the audit.</param>
    /// <param name="why">The reason given.</param>
    /// <param name="cancellationToken">Gives up before the commit.</param>
    /// <exception cref="RunActionException">Unknown run, no such step, already sent, or not the payload that the step waits for.</exception>
    /// <exception cref="ArgumentException">The payload does not serialise.</exception>
    Task Signal<TSignal>(Guid id, string step, TSignal payload, string who, string? why = null, CancellationToken cancellationToken = default) where TSignal : notnull;

    /// <summary>Approves or rejects what the step of that name asks.</summary>
    /// <exception cref="RunActionException">Unknown run, no such step, or already decided.</exception>
    Task Decide(Guid id, string step, bool approved, string who, string? why = null, CancellationToken cancellationToken = default);
}

/// <summary>Starts runs, shows them, and lets operators act on them. Every action is audited with who and why.</summary>
public interface IRuns : IRunActions
{
    /// <summary>Inserts a run and hands it to the workers.</summary>
    /// <param name="input">The workflow's input.</param>
    /// <param name="start">Who asks, and about what.</param>
    /// <param name="within">The caller's own statements, in the transaction that inserts the run; throw to insert nothing. Not called for an existing run.</param>
    /// <param name="cancellationToken">Gives up before the commit.</param>
    /// <exception cref="ArgumentException">A text of <paramref name="start"/> breaks the rule, or the input is too large or nested too deep, or no plan can be made from it.</exception>
    Task<StartedRun> Start<TWorkflow, TInput>(TInput input, StartRun start, Func<NpgsqlTransaction, Guid, Task>? within = null, CancellationToken cancellationToken = default)
        where TWorkflow : IWorkflow<TInput>
        where TInput : notnull;

    /// <summary>A run with its steps and audit, or null.</summary>
    Task<RunDetails?> Get(Guid id, CancellationToken cancellationToken = default);

    /// <summary>Those of the runs that exist, in any order.</summary>
    Task<IReadOnlyList<RunSummary>> Get(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken = default);

    /// <summary>A page of runs, newest first.</summary>
    Task<IReadOnlyList<RunSummary>> List(RunFilter filter, CancellationToken cancellationToken = default);

    /// <summary>Lines of a run's log after a sequence number, at most <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<LogLine>> Log(Guid id, long after = 0, int limit = 1000, CancellationToken cancellationToken = default);

    /// <summary>Yields at once, then whenever something of the run may have changed (steps, log, progress), at least every 5 s. A hint only: read by cursor.</summary>
    IAsyncEnumerable<Guid> Watch(Guid id, CancellationToken cancellationToken = default);

    /// <summary>Yields at once, then whenever any run may have changed, at least every 5 s.</summary>
    IAsyncEnumerable<Guid> WatchAll(CancellationToken cancellationToken = default);

    /// <summary>Does one thing to every run that the filter finds, at most 1,000 at once; each is audited as if it were alone.</summary>
    /// <param name="filter">Must say something: state, kind, subject or parent. Its limit does not count.</param>
    /// <param name="verb">What.</param>
    /// <param name="who">Who acts.</param>
    /// <param name="why">The reason given.</param>
    /// <param name="cancellationToken">Gives up between two runs.</param>
    /// <exception cref="ArgumentException">The filter is empty.</exception>
    Task<BulkResult> Act(RunFilter filter, BulkVerb verb, string who, string? why = null, CancellationToken cancellationToken = default);

    /// <summary>What these actions would do, one entry for each run that they concern: decided as they would be, refused as they would be, and taken back. Nothing goes on for it.</summary>
    /// <param name="act">Acts on what it is given.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<IReadOnlyList<RehearsedAction>> Rehearse(Func<IRunActions, Task> act, CancellationToken cancellationToken = default);

    /// <summary>The run that was started with this dedupe key, or null.</summary>
    Task<Guid?> Find(string dedupeKey, CancellationToken cancellationToken = default);

    /// <summary>The plan that a run would have, with the inputs that are known; executes nothing and keeps nothing.</summary>
    /// <exception cref="ArgumentException">No plan can be made from the input.</exception>
    RunPlan Plan<TWorkflow, TInput>(TInput input)
        where TWorkflow : IWorkflow<TInput>
        where TInput : notnull;

    /// <summary>The same, with what each step would change as far as it can tell (<see cref="IPreviewable{TInput, TResult}"/>): a rehearsal that looks and does nothing.</summary>
    /// <exception cref="ArgumentException">No plan can be made from the input.</exception>
    Task<RunPlan> Preview<TWorkflow, TInput>(TInput input, CancellationToken cancellationToken = default)
        where TWorkflow : IWorkflow<TInput>
        where TInput : notnull;

    /// <summary>The runs that hold or wait for an exclusive key: first the one that holds it, then the others in the order of their turn; at most 50.</summary>
    Task<IReadOnlyList<RunSummary>> Holding(string exclusiveKey, CancellationToken cancellationToken = default);
}

/// <summary>Removes secrets from text before it is written to a log or the journal.</summary>
public interface IRedactor
{
    /// <summary>The text without secrets.</summary>
    string Redact(string text);
}
