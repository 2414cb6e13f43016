using System.Text.Json;

namespace ManagedServers.Engine;

/// <summary>
/// Executes one claimed run, step by step, until it ends or leaves this node. The end of a step and the begin of the next are one statement:
/// what a step gave is kept in <see cref="ended"/> until the next decision is written with it.
/// </summary>
internal sealed partial class RunExecution(
    ClaimedRun run, LiveRun live, BuiltPlan plan, JournalMemory memory, RunWriter writer, StepRunner steps, Waits waits,
    Text text, NodeIdentity node, EngineOptions options, TimeProvider time)
{
    private int direction = run.Direction;
    private int cursor = run.Cursor;
    private string? failure = run.Failure;
    private AttemptEnd? ended;

    private Position Here => memory.Position(direction, cursor, failure);

    public async Task Go()
    {
        using var limit = RunLimit();
        while (true)
        {
            var goesOn = live.Cause != StopCause.None || node.Stopping ? await Heed()
                : direction > 0 ? await Forward()
                : await Backward();
            if (!goesOn)
            {
                return;
            }
        }
    }

    // Waits and pauses do not count, and what is left of the limit does not hurry an undo.
    private ITimer? RunLimit()
    {
        if (plan.Timeout is not { } limit || direction < 0)
        {
            return null;
        }

        var left = limit - run.Worked;
        return time.Once(left, () => live.Stop(StopCause.RunTimedOut));
    }

    /// <summary>Somebody wants the run to let go, and no step is under way.</summary>
    private async Task<bool> Heed()
    {
        await writer.LearnOfCancel();
        EndWait();
        switch (live.Cause)
        {
            case StopCause.LeaseLost:
                return false;
            case StopCause.Cancel:
                return await Leave("cancelled", $"{writer.CancelSentence} {Remains()}", note: new Note("cancelled", Remains()));
            case StopCause.CancelWithUndo when direction > 0:
                return await TurnBack(writer.CancelSentence);
            case StopCause.CancelWithUndo:
                live.GoOnUndoing();
                return true;
            case StopCause.RunTimedOut when direction > 0:
                return await RunTimedOut();
            case StopCause.RunTimedOut:
                live.GoOnUndoing();
                return true;
            default:
                return await Leave("queued", $"Node {node.Name} was stopped; the run goes on at its next step.", note: new Note("released", $"Node {node.Name} was stopped."));
        }
    }

    private string Remains() => direction < 0 ? "The undo was stopped; what it had not reached is still there."
        : memory.NothingTouched() ? "Nothing had been changed." : "What was done is left as it is.";

    private async Task<bool> RunTimedOut()
    {
        var said = $"The run may take {Words.Duration(plan.Timeout!.Value)}, and that is over.";
        if (cursor > plan.Steps.Count)
        {
            live.PassOverTime();
            return true; // every step is done: late, but done
        }

        var step = plan.Steps[cursor - 1];
        return step.FailurePolicy switch
        {
            StepFailure.Compensate => await TurnBack(said),
            StepFailure.Fail => await Leave("failed", said, note: new Note("failed", said)),
            _ => await Leave("paused", $"{said} It stands before step {step.Seq}, '{step.Title}'. Retry gives it that time again.", note: new Note("paused", said)),
        };
    }

    /// <summary>From here on, what was done is taken back, beginning with the step at the cursor.</summary>
    private async Task<bool> TurnBack(string why)
    {
        failure = why;
        direction = -1;
        // A run that was retried from an earlier step has done things beyond the one at which it stands.
        cursor = Math.Min(Math.Max(cursor, memory.StepsBegun), plan.Steps.Count);
        live.GoOnUndoing();
        return await Advance(null, $"{why} Undoing what was done.", new Note("undoing", why));
    }

    private async Task<bool> Advance(AttemptStart? start, string? reason = null, Note? note = null)
    {
        var goesOn = await writer.Advance(Here, ended, start, reason, note);
        ended = null;
        return goesOn;
    }

    /// <summary>Begins an attempt and goes on with it, unless it was not begun: the run is not ours any more, somebody cancels it, or its kind was paused and it is queued until that ends.</summary>
    private async Task<bool> Begin(AttemptStart start, Func<Task<bool>> then)
    {
        if (!await Advance(start))
        {
            return false;
        }

        if (writer.IsCancelled)
        {
            return true; // heeded next
        }

        return writer.KindPaused ? await Leave("queued", null, note: new Note("released", $"Runs of kind {run.Kind} are paused.")) : await then();
    }

    private async Task<bool> Leave(string state, string? reason, TimeSpan? due = null, Note? note = null, int? wakes = null, bool heeded = false)
    {
        if (!await writer.Leave(Here, ended, new Departure(state, reason, due, wakes, heeded, steps.IsAtWorkFor(live.Id)), note))
        {
            return false;
        }

        // It can neither succeed nor go to sleep because somebody cancels it: what the last step gave is journalled, then the cancel is heeded.
        return await Advance(null);
    }

    /// <summary>Remembers the end of an attempt, to be written with what follows from it.</summary>
    private void End(Call call, int tries, string state, StepOutcome outcome, TimeSpan? wait = null, long? signal = null)
    {
        ended = new AttemptEnd
        {
            Seq = call.Step.Seq,
            Direction = call.Direction,
            Attempt = call.Attempt,
            State = state,
            Output = outcome.Output,
            Changed = outcome.Said?.Changed,
            Summary = outcome.Said?.Summary,
            Error = outcome.Error,
            Wait = wait,
            Signal = signal,
        };
        memory.Remember(call.Step.Seq, call.Direction, new LatestAttempt(
            call.Attempt, tries, state, run.Fence, call.Input, outcome.Output, outcome.Said?.Changed, wait is not null));
    }

    /// <summary>The tries charged so far, this one included: a failed attempt that was to be tried again counts, an interrupted one does not, an operator starts anew.</summary>
    private static int TriesWith(LatestAttempt? before) => before switch
    {
        { State: "failed", HasNextTry: true } => before.Try + 1,
        { State: "interrupted" } => before.Try,
        _ => 1,
    };

    private static TimeSpan Jitter(TimeSpan wait) => wait * (0.8 + (0.4 * Random.Shared.NextDouble()));

    // A step that was cut off by a limit or by the stop of its node, and knows what that means, has said how it ended: that is not the same as having been interrupted.
    private bool LetGo(StepOutcome outcome) => live.Cause == StopCause.LeaseLost
        || (outcome.Stopped && (outcome.LeftBehind || !outcome.Rejected || live.Cause is StopCause.Cancel or StopCause.CancelWithUndo));

    /// <summary>A step's code let go because the run was told to stop, or is left behind.</summary>
    private async Task<bool> Stopped(Call call, int tries, StepOutcome outcome)
    {
        if (live.Cause == StopCause.LeaseLost)
        {
            return false;
        }

        if (live.Cause == StopCause.NodeStops)
        {
            End(call, tries, "interrupted", outcome with { Error = $"Node {node.Name} was stopped while the step was at work." });
            return true;
        }

        await writer.LearnOfCancel();
        var timedOut = live.Cause == StopCause.RunTimedOut;
        End(call, tries, timedOut ? "failed" : "cancelled", outcome with { Error = timedOut ? "The time limit of the run was over." : outcome.LeftBehind ? outcome.Error
            : outcome.Rejected ? text.Error($"{writer.CancelSentence} {outcome.Error}") : writer.CancelSentence });
        if (!outcome.LeftBehind)
        {
            return true;
        }

        // Never twice at once: neither a retry nor an undo nor the next run of its key beside a step that may still be at work.
        if (live.Cause == StopCause.CancelWithUndo)
        {
            failure = writer.CancelSentence;
            direction = -1;
        }

        return await PauseLeftBehind(call, outcome);
    }

    private Task<bool> PauseLeftBehind(Call call, StepOutcome outcome)
    {
        var why = text.OneLine($"Step {call.Step.Seq}, '{call.Step.Title}': {outcome.Error}");
        return Leave("paused", why, note: new Note("paused", why), heeded: true);
    }

    private JournalledResults Results => new(seq => seq < cursor ? memory.Output(seq) : null);
}
