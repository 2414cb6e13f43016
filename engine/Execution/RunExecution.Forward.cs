using System.Text.Json;

namespace ManagedServers.Engine;

/// <content>The steps, in order.</content>
internal sealed partial class RunExecution
{
    private async Task<bool> Forward()
    {
        if (cursor > plan.Steps.Count)
        {
            return await Leave("succeeded", Outcome(), note: new Note("succeeded", Outcome()));
        }

        var step = plan.Steps[cursor - 1];
        var before = memory.Latest(step.Seq, 1);
        if (before is { State: "interrupted", HasNextTry: false } && step.InterruptionPolicy == Interruption.Pause)
        {
            var why = $"Step {step.Seq}, '{step.Title}', was interrupted: its node ended, or was cut off from the database, while it was at work, and nobody knows how far it came. "
                + "Look at what it works on, then retry, or skip it, or cancel.";
            return await Leave("paused", why, note: new Note("paused", why));
        }

        if (before is { State: "waiting" })
        {
            return await Wait(step, before);
        }

        var attempt = (before?.Attempt ?? 0) + 1;
        var tries = TriesWith(before);
        JsonElement input;
        var what = "condition could not be looked at";
        try
        {
            if (step.Condition is { } condition && !condition(Results))
            {
                return await PassOver(step, attempt, "Its condition did not hold.");
            }

            what = "input could not be made";
            input = Checked(Text.Json(step.Body.ResolveInput(Results)));
        }
        catch (Exception fault)
        {
            return await NoInputFor(step, attempt, tries, $"Its {what}: {Words.Of(fault)}");
        }

        if (step.Body is not IWork)
        {
            return await BeginWait(new Call(step, 1, attempt, false, input, null), tries);
        }

        var call = new Call(step, 1, attempt, memory.WasInterrupted(step.Seq, 1), input, null);
        return await Begin(new AttemptStart(step.Seq, 1, attempt, tries, input), () => Execute(call, tries));
    }

    private async Task<bool> Execute(Call call, int tries)
    {
        var outcome = await steps.Run(live, call, memory);
        if (outcome.Error is null)
        {
            End(call, tries, "succeeded", outcome);
            cursor++;
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

        live.Log.Write(call.Step.Seq, Microsoft.Extensions.Logging.LogLevel.Error, outcome.Error);
        if (outcome.Uncertain)
        {
            End(call, tries, "failed", outcome);
            var asks = text.OneLine($"Step {call.Step.Seq}, '{call.Step.Title}': {outcome.Error}");
            return await Leave("paused", asks, note: new Note("paused", asks));
        }

        var wait = outcome.Rejected ? null : call.Step.RetryPolicy.After(tries);
        return wait is { } w ? await TryAgain(call, tries, outcome, Jitter(w)) : await Failed(call, tries, outcome);
    }

    private async Task<bool> TryAgain(Call call, int tries, StepOutcome outcome, TimeSpan wait)
    {
        End(call, tries, "failed", outcome, wait);
        var undoing = call.Direction < 0 ? "Undoing step" : "Step";
        var why = text.OneLine($"{undoing} {call.Step.Seq}, '{call.Step.Title}', failed (try {tries} of {call.Step.RetryPolicy.Tries}), the next try is in {Words.Duration(wait)}: {outcome.Error}");
        if (wait > options.ShortWait)
        {
            return await Leave("waiting", why, due: wait);
        }

        if (!await Advance(null, why))
        {
            return false;
        }

        await WaitInPlace(wait);
        return true;
    }

    private async Task WaitInPlace(TimeSpan wait)
    {
        try
        {
            await Task.Delay(wait, time, live.Signal);
        }
        catch (OperationCanceledException)
        {
            // the cause is looked at next
        }
    }

    private async Task<bool> Failed(Call call, int tries, StepOutcome outcome, long? signal = null)
    {
        End(call, tries, "failed", outcome, signal: signal);
        var why = text.OneLine($"Step {call.Step.Seq}, '{call.Step.Title}', failed: {outcome.Error}");
        switch (call.Step.FailurePolicy)
        {
            case StepFailure.Continue:
                cursor++;
                return true;
            case StepFailure.Fail:
                failure = why;
                return await Leave("failed", why, note: new Note("failed", why));
            case StepFailure.Compensate:
                return await TurnBack(why);
            default:
                return await Leave("paused", why, note: new Note("paused", why));
        }
    }

    private async Task<bool> PassOver(PlannedStep step, int attempt, string why)
    {
        memory.Remember(step.Seq, 1, new LatestAttempt(attempt, 1, "skipped", run.Fence, null, null, null, false));
        cursor++;
        return await Advance(new AttemptStart(step.Seq, 1, attempt, 1, null, "skipped", why));
    }

    /// <summary>The plan's own code failed, on results that will be the same next time.</summary>
    private Task<bool> NoInputFor(PlannedStep step, int attempt, int tries, string why)
    {
        var error = text.Error(why);
        return Begin(new AttemptStart(step.Seq, 1, attempt, tries, null),
            () => Failed(new Call(step, 1, attempt, false, Empty.Json, null), tries, new StepOutcome(null, error, true, false, false, null)));
    }

    private static JsonElement Checked(JsonElement input) => Text.KiBOverLimit(input) is { } size
        ? throw new StepRejectedException($"it has {size:N0} KiB as JSON, and at most {Text.JsonLimit / 1024} KiB can be journalled.")
        : input;

    private string? Outcome()
    {
        var failed = memory.PassedOver().ToList();
        if (failed.Count > 0)
        {
            return $"Done, but {(failed.Count == 1 ? "step" : "steps")} {string.Join(", ", failed)} failed and {(failed.Count == 1 ? "was" : "were")} passed over.";
        }

        return memory.NothingChanged() ? "Nothing had to be changed." : null;
    }
}
