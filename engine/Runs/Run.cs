using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Engine;

/// <summary>Where a run stands.</summary>
public enum RunState
{
    /// <summary>Waits for a worker, an exclusive key or its due time.</summary>
    Queued,

    /// <summary>A node executes it (forwards or undoing).</summary>
    Running,

    /// <summary>Holds no worker until a retry is due, or a signal or a timer comes.</summary>
    Waiting,

    /// <summary>Waits for an operator; the reason says for what.</summary>
    Paused,

    /// <summary>Every step done.</summary>
    Succeeded,

    /// <summary>Ended by a failure; the reason says whether its changes were undone.</summary>
    Failed,

    /// <summary>Ended by an operator.</summary>
    Cancelled,
}

/// <summary>Where a step (its latest attempt) stands.</summary>
public enum StepState
{
    /// <summary>Its turn has not come.</summary>
    Pending,

    /// <summary>Under way.</summary>
    Running,

    /// <summary>Failed; will be tried again by itself.</summary>
    Retrying,

    /// <summary>Waits for a signal, an approval, a time or child runs.</summary>
    Waiting,

    /// <summary>Done.</summary>
    Succeeded,

    /// <summary>Tries used up, or rejected.</summary>
    Failed,

    /// <summary>Ended without an answer: the process died or lost its lease.</summary>
    Interrupted,

    /// <summary>Its condition did not hold, or an operator skipped it.</summary>
    Skipped,

    /// <summary>Cancelled while under way.</summary>
    Cancelled,

    /// <summary>Was done, and has been taken back.</summary>
    Undone,
}

/// <summary>One line of a list of runs.</summary>
public record RunSummary
{
    /// <summary>Identifier, ordered by time.</summary>
    public required Guid Id { get; init; }

    /// <summary>The workflow.</summary>
    public required string Kind { get; init; }

    /// <summary>What it does, in words.</summary>
    public required string Title { get; init; }

    /// <summary>What it is about, given at its start, for example <c>server:…</c>.</summary>
    public string? Subject { get; init; }

    /// <summary>Where it stands.</summary>
    public required RunState State { get; init; }

    /// <summary>Why it stands there, in plain words.</summary>
    public string? Reason { get; init; }

    /// <summary>True while what was done is being taken back.</summary>
    public bool Undoing { get; init; }

    /// <summary>True once it has ended with what it had done taken back; of a step whose undo there is not, the reason tells.</summary>
    public bool Undone { get; init; }

    /// <summary>Who asked for it.</summary>
    public required string RequestedBy { get; init; }

    /// <summary>When it was asked for.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its first step began.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Steps succeeded or skipped.</summary>
    public required int StepsDone { get; init; }

    /// <summary>Steps planned.</summary>
    public required int StepsTotal { get; init; }

    /// <summary>Steps that changed something so far.</summary>
    public required int StepsChanged { get; init; }

    /// <summary>The run that started it.</summary>
    public Guid? Parent { get; init; }

    /// <summary>Who goes first.</summary>
    public RunPriority Priority { get; init; }
}

/// <summary>A run with all that is known of it.</summary>
public sealed record RunDetails : RunSummary
{
    /// <summary>For deserialisation.</summary>
    public RunDetails() { }

    [SetsRequiredMembers]
    internal RunDetails(RunSummary summary) : base(summary) => (Input, Steps, Events) = (default, [], []);

    /// <summary>Version of the plan.</summary>
    public required int Version { get; init; }

    /// <summary>The run's input.</summary>
    public required JsonElement Input { get; init; }

    /// <summary>The node that executes it.</summary>
    public string? Node { get; init; }

    /// <summary>How often it was taken over after a crash.</summary>
    public int Recoveries { get; init; }

    /// <summary>All planned steps, in order.</summary>
    public required IReadOnlyList<StepDetails> Steps { get; init; }

    /// <summary>What operators and the engine did to it, in order.</summary>
    public required IReadOnlyList<RunEvent> Events { get; init; }
}

/// <summary>A step of a run: its plan and its latest attempt.</summary>
public sealed record StepDetails
{
    /// <summary>Position, from 1.</summary>
    public required int Seq { get; init; }

    /// <summary>Name in the plan.</summary>
    public required string Name { get; init; }

    /// <summary>Title for operators.</summary>
    public required string Title { get; init; }

    /// <summary>Work, or what it waits for.</summary>
    public required StepKind Kind { get; init; }

    /// <summary>Where it stands.</summary>
    public required StepState State { get; init; }

    /// <summary>Attempts so far, those of an undo not counted.</summary>
    public required int Attempts { get; init; }

    /// <summary>True and false as the step said; null when it did not say.</summary>
    public bool? Changed { get; init; }

    /// <summary>What it changed, or why it did not have to, in one line.</summary>
    public string? Summary { get; init; }

    /// <summary>Why the latest attempt failed.</summary>
    public string? Error { get; init; }

    /// <summary>When the latest attempt began.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the latest attempt ended.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>When it is tried again; of a step that waits, until when.</summary>
    public DateTimeOffset? NextTryAt { get; init; }

    /// <summary>0 to 1 while it runs.</summary>
    public double? Progress { get; init; }

    /// <summary>The words beside the progress.</summary>
    public string? ProgressNote { get; init; }

    /// <summary>The journalled result.</summary>
    public JsonElement? Output { get; init; }
}

/// <summary>One entry of a run's audit.</summary>
/// <param name="At">When.</param>
/// <param name="Who">An operator's name, or <c>engine</c>.</param>
/// <param name="What">One word: started, claimed, recovered, paused, retried, cancelled, …</param>
/// <param name="Why">The reason given, in plain words.</param>
public sealed record RunEvent(DateTimeOffset At, string Who, string What, string? Why);

/// <summary>One line of a run's log.</summary>
/// <param name="Seq">Gapless within the run, from 1.</param>
/// <param name="At">When.</param>
/// <param name="StepSeq">The step that said it; 0 for the engine itself.</param>
/// <param name="Level">Severity.</param>
/// <param name="Message">The text, redacted.</param>
public sealed record LogLine(long Seq, DateTimeOffset At, int StepSeq, LogLevel Level, string Message);
