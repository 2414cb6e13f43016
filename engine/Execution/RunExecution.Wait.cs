using System.Text.Json;

namespace ManagedServers.Engine;

/// <content>Steps that wait: the run goes to sleep, holds no worker, and looks again whenever it is woken.</content>
internal sealed partial class RunExecution
{
    private Task<bool> BeginWait(Call call, int tries) =>
        Begin(new AttemptStart(call.Step.Seq, call.Direction, call.Attempt, tries, call.Input, "waiting", Wait: call.Step.TimeLimit), () =>
        {
            memory.Remember(call.Step.Seq, call.Direction, new LatestAttempt(call.Attempt, tries, "waiting", run.Fence, call.Input, null, null, false));
            return Task.FromResult(true);
        });

    private async Task<bool> Wait(PlannedStep step, LatestAttempt waiting)
    {
        var call = new Call(step, direction, waiting.Attempt, false, waiting.Input ?? Empty.Json, null);
        if (await writer.Persist(() => waits.Look(live.Id, step.Seq, direction)) is not { } look)
        {
            return false;
        }

        return (step.Body.Kind, direction) switch
        {
            (StepKind.Children, > 0) => await WaitForChildren(call, waiting.Try, look),
            (StepKind.Children, _) => await WaitForChildrensEnd(call, look),
            (StepKind.Timer, _) => await WaitForTime(call, waiting.Try, look),
            _ => await WaitForSignal(call, waiting.Try, look),
        };
    }

    private async Task<bool> WaitForTime(Call call, int tries, WaitLook look) =>
        look.Left > TimeSpan.Zero ? await Sleep(call, look, "Waits for its time to be over.") : Waited(call, tries, Empty.Json);

    private async Task<bool> WaitForSignal(Call call, int tries, WaitLook look)
    {
        if (await writer.Persist(() => waits.Signals(live.Id, call.Step.Name)) is not { } sent)
        {
            return false;
        }

        var signal = sent.SingleOrDefault();
        var approval = call.Step.Body.Kind == StepKind.Approval;
        if (signal is null)
        {
            return look.Left > TimeSpan.Zero
                ? await Sleep(call, look, approval ? "Waits for somebody to approve or reject it." : $"Waits for the signal '{call.Step.Name}'.")
                : await Failed(call, tries, NotInTime(call, approval ? "nobody approved" : $"the signal '{call.Step.Name}' did not come"));
        }

        if (approval && JsonSerializer.Deserialize<Decision>(signal.Payload, EngineJson.Options)! is { Approved: false })
        {
            var rejected = new StepOutcome(null, $"Rejected by {signal.Who}{(signal.Why is null ? "." : $": {signal.Why}")}", true, false, false, null);
            return await Failed(call, tries, rejected, signal.Id);
        }

        return Waited(call, tries, approval
            ? JsonSerializer.SerializeToElement(new Approval(signal.Who, signal.Why), EngineJson.Options)
            : JsonSerializer.Deserialize<JsonElement>(signal.Payload), signal.Id);
    }

    private async Task<bool> WaitForChildren(Call call, int tries, WaitLook look)
    {
        var plan = call.Input.Deserialize<ChildrenInput>(EngineJson.Options)!;
        if (await writer.Persist(() => waits.Children(live.Id, call.Step.Seq, memory.LastSucceeded(call.Step.Seq))) is not { } known)
        {
            return false;
        }

        var places = plan.Runs.Select((start, index) => (Start: start, Index: index, Child: known.FirstOrDefault(c => c.Index == index && Counts(c, start, call.Attempt)))).ToList();
        var failed = places.Where(p => p.Child is { HasEnded: true, State: not "succeeded" }).ToList();
        var underWay = places.Where(p => p.Child is { HasEnded: false }).ToList();
        // Of an earlier attempt, with another input by now: nobody waits for what they give, and nothing is started in their place or beyond the limit.
        var strays = known.Where(c => !c.HasEnded && places.All(p => p.Child != c)).ToList();
        var next = failed.Count > 0 || look.Left <= TimeSpan.Zero ? []
            : places.Where(p => p.Child is null && strays.All(s => s.Index != p.Index)).Take(plan.AtOnce - underWay.Count - strays.Count).ToList();
        if (next.Count > 0)
        {
            var started = 0;
            foreach (var place in next)
            {
                if (live.Cause != StopCause.None || node.Stopping)
                {
                    return true; // heeded next
                }

                try
                {
                    await waits.StartChild(run, call.Step.Seq, place.Index, call.Attempt, plan.Kind, place.Start);
                    started++;
                }
                catch (ParentStoppedException)
                {
                    return await Advance(null); // learns of the cancel, or that the run is not ours any more
                }
                catch (Exception fault) when (!TransientFault.Is(fault) && started > 0)
                {
                    return true; // they are under way at the next look
                }
                catch (Exception fault) when (!TransientFault.Is(fault) && underWay.Count + strays.Count > 0)
                {
                    // Asked again when one of those under way has ended: the step fails when none is any more.
                    return await Sleep(call, look, $"A run of '{plan.Kind}' could not be started ({Words.Of(fault).TrimEnd('.')}). {Progress([.. underWay.Select(p => p.Child!), .. strays], plan.Runs.Count)}");
                }
                catch (Exception fault) when (!TransientFault.Is(fault))
                {
                    return await Failed(call, tries, new StepOutcome(null, text.Error($"A run of '{plan.Kind}' could not be started: {Words.Of(fault)}"), true, false, false, null));
                }
                catch (Exception)
                {
                    // The database is away; started or not, the dedupe key tells at the next look.
                    return await Advance(null);
                }
            }

            return true;
        }

        List<ChildRow> waited = [.. underWay.Select(p => p.Child!), .. strays];
        if (waited.Count > 0 && look.Left > TimeSpan.Zero)
        {
            return await Sleep(call, look, Progress(waited, plan.Runs.Count));
        }

        if (waited.Count > 0)
        {
            return await Failed(call, tries, NotInTime(call, $"{waited.Count} of {plan.Runs.Count} runs have not ended (they go on)"));
        }

        if (failed.Count > 0)
        {
            var rest = places.Count(p => p.Child is null);
            var first = failed[0].Child!;
            var outcome = new StepOutcome(null, text.Error(
                $"{failed.Count} of {plan.Runs.Count} runs did not succeed{(rest > 0 ? $", and {rest} {(rest == 1 ? "was" : "were")} not started" : "")}. "
                + $"The first: run {first.Id} ({first.Title}) {first.State}: {first.Reason}"), false, false, false, null);
            return call.Step.RetryPolicy.After(tries) is { } wait ? await TryAgain(call, tries, outcome, Jitter(wait)) : await Failed(call, tries, outcome);
        }

        if (places.Count(p => p.Child is null) is > 0 and var missing)
        {
            return await Failed(call, tries, NotInTime(call, $"{missing} of {plan.Runs.Count} runs {(missing == 1 ? "was" : "were")} not started"));
        }

        return Waited(call, tries, JsonSerializer.SerializeToElement(new ChildRuns([.. places.Select(p => new ChildRun(p.Child!.Id, p.Child.Reason))]), EngineJson.Options));
    }

    /// <summary>What was started for this attempt, and what has succeeded or is still under way for an earlier one with the same input.</summary>
    private static bool Counts(ChildRow child, ChildStart<JsonElement> start, int attempt) =>
        child.Round == attempt || ((child.State == "succeeded" || child is { HasEnded: false, CancelMode: null }) && JsonElement.DeepEquals(JsonSerializer.Deserialize<JsonElement>(child.Input), start.Input));

    private async Task<bool> WaitForChildrensEnd(Call call, WaitLook look)
    {
        if (await writer.Persist(() => waits.Children(live.Id, call.Step.Seq, 0)) is not { } known)
        {
            return false;
        }

        var underWay = known.Where(c => !c.HasEnded).ToList();
        if (underWay.Count == 0)
        {
            End(call, 1, "succeeded", new StepOutcome(null, null, false, false, false, null));
            cursor--;
            return true;
        }

        if (look.Left <= TimeSpan.Zero)
        {
            var outcome = NotInTime(call, $"{underWay.Count} child runs have not ended");
            End(call, 1, "failed", outcome);
            return await Leave("paused", text.OneLine($"Undoing step {call.Step.Seq}, '{call.Step.Title}', failed: {outcome.Error}"), note: new Note("paused", outcome.Error));
        }

        // Each is told once: one that pauses on its way back, or beside a step that does not let go, waits for an operator.
        if (underWay.Any(c => c.CancelMode is null))
        {
            await writer.Persist(async () => { await waits.UndoChildren(live.Id, failure); return call; });
        }

        return await Sleep(call, look, "Undoing: " + Progress(underWay, known.Count));
    }

    private static string Progress(IEnumerable<ChildRow> underWay, int all)
    {
        var rows = underWay.ToList();
        var paused = rows.Where(c => c.State == "paused").ToList();
        return $"Waits for {rows.Count} of {all} {(all == 1 ? "run" : "runs")}."
            + (paused.Count == 0 ? "" : $" {paused.Count} {(paused.Count == 1 ? "is" : "are")} paused; the first is run {paused[0].Id} ({paused[0].Title}): {paused[0].Reason}");
    }

    private bool Waited(Call call, int tries, JsonElement output, long? signal = null)
    {
        End(call, tries, "succeeded", new StepOutcome(output, null, false, false, false, null), signal: signal);
        cursor++;
        return true;
    }

    private Task<bool> Sleep(Call call, WaitLook look, string reason) => Leave("waiting", text.OneLine($"Step {call.Step.Seq}, '{call.Step.Title}': {reason}"), due: look.Left, wakes: look.Wakes);

    private static StepOutcome NotInTime(Call call, string what) => new(null, $"Within {Words.Duration(call.Step.TimeLimit)}, {what}.", true, false, false, null);

    /// <summary>The wait of a run that somebody stops is over.</summary>
    private void EndWait()
    {
        if (ended is null && cursor >= 1 && cursor <= plan.Steps.Count && live.Cause is StopCause.Cancel or StopCause.CancelWithUndo or StopCause.RunTimedOut
            && memory.Latest(plan.Steps[cursor - 1].Seq, direction) is { State: "waiting" } waiting && (direction > 0 || live.Cause == StopCause.Cancel))
        {
            End(new Call(plan.Steps[cursor - 1], direction, waiting.Attempt, false, waiting.Input ?? Empty.Json, null), waiting.Try, "cancelled",
                new StepOutcome(null, writer.CancelSentence, false, true, false, null));
        }
    }
}
