using System.Text.Json;

namespace ManagedServers.Cli.Client;

/// <summary>One line of a list of runs.</summary>
public record RunSummary
{
    /// <summary>Identifier, ordered by time.</summary>
    public required Guid Id { get; init; }

    /// <summary>The workflow.</summary>
    public required string Kind { get; init; }

    /// <summary>What it does, in words.</summary>
    public required string Title { get; init; }

    /// <summary>What it is about, for example <c>server:…</c>.</summary>
    public string? Subject { get; init; }

    /// <summary>Where it stands: one of <see cref="RunStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>Why it stands there, in plain words.</summary>
    public string? Reason { get; init; }

    /// <summary>True while what was done is being taken back.</summary>
    public bool Undoing { get; init; }

    /// <summary>True once it has ended with what it had done taken back.</summary>
    public bool Undone { get; init; }

    /// <summary>Who asked for it.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>When it was asked for.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its first step began.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Steps succeeded or skipped.</summary>
    public int StepsDone { get; init; }

    /// <summary>Steps planned.</summary>
    public int StepsTotal { get; init; }

    /// <summary>Steps that changed something so far.</summary>
    public int StepsChanged { get; init; }
}

/// <summary>A run with all that is known of it.</summary>
public sealed record RunDetails : RunSummary
{
    /// <summary>Version of the plan.</summary>
    public int Version { get; init; }

    /// <summary>The run's input.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>The node that executes it.</summary>
    public string? Node { get; init; }

    /// <summary>How often it was taken over after a crash.</summary>
    public int Recoveries { get; init; }

    /// <summary>All planned steps, in order.</summary>
    public IReadOnlyList<StepDetails> Steps { get; init; } = [];

    /// <summary>What operators and the engine did to it, in order.</summary>
    public IReadOnlyList<RunEvent> Events { get; init; } = [];
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

    /// <summary>work, signal, approval, timer or children.</summary>
    public string Kind { get; init; } = "work";

    /// <summary>Where it stands: one of <see cref="StepStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>Attempts so far, those of an undo not counted.</summary>
    public int Attempts { get; init; }

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

    /// <summary>When it is tried again.</summary>
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
/// <param name="Level">Severity, for example <c>information</c>.</param>
/// <param name="Message">The text.</param>
public sealed record LogLine(long Seq, DateTimeOffset At, int StepSeq, string Level, string Message);

/// <summary>How a run is cancelled.</summary>
/// <param name="Undo">Also take back what was done.</param>
/// <param name="Reason">For the audit.</param>
public sealed record CancelRequest(bool Undo, string? Reason);

/// <summary>What an operator says with an action.</summary>
public sealed record ActionRequest
{
    /// <summary>For the audit.</summary>
    public string? Reason { get; init; }

    /// <summary>For a retry: the step to go on from, from 1.</summary>
    public int? FromStep { get; init; }

    /// <summary>For a retry: a corrected input.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>For a change of priority: low, normal or high.</summary>
    public string? Priority { get; init; }

    /// <summary>For a signal: what the step waits for.</summary>
    public JsonElement? Payload { get; init; }
}
