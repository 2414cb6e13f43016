namespace ManagedServers.Engine;

/// <content>The way back: what was done is taken back, last first, journalled and tried again like everything else.</content>
internal sealed partial class RunExecution
{
    private async Task<bool> Backward()
    {
        cursor = Math.Min(cursor, plan.Steps.Count); // a deploy may have shortened the plan
        while (cursor > 0 && !NeedsUndo(plan.Steps[cursor - 1]))
        {
            cursor--;
        }

        if (cursor == 0)
        {
            return await Undone();
        }

        var step = plan.Steps[cursor - 1];
        var made = memory.LatestReal(step.Seq)!;
        var before = memory.Latest(step.Seq, -1);
        if (before is { State: "waiting" })
        {
            return await Wait(step, before);
        }

        if (before is { State: "interrupted", HasNextTry: false } && step.InterruptionPolicy == Interruption.Pause && before.Fence >= made.Fence)
        {
            var why = $"The undo of step {step.Seq}, '{step.Title}', was interrupted: its node ended, or was cut off from the database, while it was at work, and nobody knows how far it came. "
                + "Look at what it works on, then retry, or skip it, or cancel.";
            return await Leave("paused", why, note: new Note("paused", why));
        }

        var again = before is not null && before.Fence >= made.Fence;
        var attempt = (before?.Attempt ?? 0) + 1;
        var tries = again ? TriesWith(before) : 1;
        var call = new Call(step, -1, attempt, memory.WasInterrupted(step.Seq, -1), made.Input ?? Empty.Json, made.State == "succeeded" ? made.Output : null);
        return step.Body is IWork
            ? await Begin(new AttemptStart(step.Seq, -1, attempt, tries, call.Input), () => Undo(call, tries))
            : await BeginWait(call, tries);
    }

    // What a step found done before it came is not its to take back: unless an earlier attempt of it had been at work.
    private bool NeedsUndo(PlannedStep step) =>
        step.Body.CanUndo && memory.LatestReal(step.Seq) is { } made && !memory.IsUndone(step.Seq)
        && made.Input is not null && made is not { State: "succeeded", Changed: false, Attempt: 1 };

    private async Task<bool> Undo(Call call, int tries)
    {
        var outcome = await steps.Run(live, call, memory);
        if (outcome.Error is null)
        {
            End(call, tries, "succeeded", outcome);
            cursor--;
            return true;
        }

        if (LetGo(outcome))
        {
            return await Stopped(call, tries, outcome);
        }

        if (outcome.LeftBehind)
        {
            // Nobody knows how far it comes: the next attempt is told so.
            End(call, tries, "interrupted", outcome);
            return await PauseLeftBehind(call, outcome);
        }

        if (outcome.Stays)
        {
            live.Log.Write(call.Step.Seq, Microsoft.Extensions.Logging.LogLevel.Warning, $"Not undone: {outcome.Error}");
            End(call, tries, "skipped", outcome);
            cursor--;
            return true;
        }

        live.Log.Write(call.Step.Seq, Microsoft.Extensions.Logging.LogLevel.Error, $"The undo failed: {outcome.Error}");
        if (!outcome.Rejected && call.Step.RetryPolicy.After(tries) is { } wait)
        {
            return await TryAgain(call, tries, outcome, Jitter(wait));
        }

        End(call, tries, "failed", outcome);
        var why = text.OneLine($"Undoing step {call.Step.Seq}, '{call.Step.Title}', failed, so its change is still there: {outcome.Error}");
        return await Leave("paused", why, note: new Note("paused", why));
    }

    private async Task<bool> Undone()
    {
        var cancelled = writer.CancelMode is not null;
        if (await writer.Persist(() => waits.ChangesBeneath(live.Id)) is not { } beneath)
        {
            return false;
        }

        // What child runs did that had ended is theirs.
        var left = plan.Steps.Where(s => memory.LeftChanged(s.Seq) || beneath.Contains(s.Seq)).Select(s => $"{s.Seq}, '{s.Title}'{(beneath.Contains(s.Seq) ? ", whose runs had ended" : "")}").ToList();
        var undone = left.Count == 0 ? "What it had done was undone."
            : $"What it had done was undone, except for {(left.Count == 1 ? "step" : "steps")} {string.Join("; ", left)}: look at what {(left.Count == 1 ? "it has" : "they have")} left.";
        var why = failure ?? (cancelled ? writer.CancelSentence : "It failed.");
        var said = text.OneLine($"{why}{(why.EndsWith('.') ? "" : ".")} {undone}");
        var state = cancelled ? "cancelled" : "failed";
        return await Leave(state, said, note: new Note(state, said));
    }
}
