using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Runs;

/// <summary>Runs and steps in words; not yet made safe for a terminal.</summary>
internal static class RunWords
{
    public static string State(RunSummary run) => run.Undoing && !RunStates.Ended(run.State) ? $"{run.State} (undoing)" : run.State;

    public static string Took(RunSummary run, DateTimeOffset now) =>
        run.StartedAt is { } start && (run.FinishedAt is not null || run.State == RunStates.Running) ? Words.Span((run.FinishedAt ?? now) - start) : "";

    public static string Took(StepDetails step, DateTimeOffset now) =>
        step.StartedAt is { } start && (step.FinishedAt is not null || step.State == StepStates.Running) ? Words.Span((step.FinishedAt ?? now) - start) : "";

    /// <summary>What a step has to tell, in one line.</summary>
    public static string Result(StepDetails step, DateTimeOffset now) => step.State switch
    {
        StepStates.Running => Progress(step),
        StepStates.Waiting => Waits(step, now),
        StepStates.Retrying => $"{NextTry(step, now)}: {step.Error}",
        StepStates.Failed or StepStates.Interrupted => step.Error ?? step.Summary ?? "",
        _ => Done(step) is { Length: > 0 } done ? done : step.Error ?? "",
    };

    private static string Waits(StepDetails step, DateTimeOffset now)
    {
        var what = step.Kind switch
        {
            "approval" => "waits for somebody to approve or reject it",
            "signal" => $"waits for the signal '{step.Name}'",
            "timer" => "waits for its time",
            _ => "waits for its runs",
        };
        return step.NextTryAt is { } end && end > now ? $"{what}, for {Words.Span(end - now)} at most" : what;
    }

    /// <summary>What a finished step changed, or that it changed nothing.</summary>
    public static string Done(StepDetails step) => (step.Changed, step.Summary) switch
    {
        (false, { Length: > 0 } why) => $"unchanged: {why}",
        (false, _) => "unchanged",
        (_, { Length: > 0 } what) => what,
        _ => "",
    };

    public static string Progress(StepDetails step)
    {
        var percent = step.Progress is { } fraction ? $"{Math.Clamp(fraction, 0, 1):P0}".Replace(" %", "%", StringComparison.Ordinal) : "";
        return string.Join(' ', new[] { percent, step.ProgressNote ?? "" }.Where(t => t.Length > 0));
    }

    public static string NextTry(StepDetails step, DateTimeOffset now) =>
        step.NextTryAt is { } at ? at > now ? $"next try in {Words.Span(at - now)}" : "next try now" : "will be tried again";

    /// <summary>The last sentence about a run.</summary>
    public static string Outcome(RunSummary run, DateTimeOffset now)
    {
        var took = Took(run, now) is { Length: > 0 } span ? $" after {span}" : "";
        return run.State switch
        {
            RunStates.Succeeded => run.StepsChanged == 0
                ? $"Succeeded{took}: {Words.Many(run.StepsTotal, "step")}, nothing changed."
                : $"Succeeded{took}: {Words.Many(run.StepsTotal, "step")}, {run.StepsChanged} changed something.",
            RunStates.Failed => $"Failed{took}: {run.Reason ?? "no reason was given"}",
            RunStates.Cancelled => $"Cancelled{took}{(run.Reason is { Length: > 0 } reason ? $": {reason}" : ".")}",
            RunStates.Paused => $"Paused at step {run.StepsDone + 1} of {run.StepsTotal}: {run.Reason ?? "no reason was given"}",
            _ => $"{run.State}{took}",
        };
    }

    /// <summary>The same for a reader who has seen every step's end: what stands there already is not said again.</summary>
    public static string OutcomeAfterSteps(RunDetails run, DateTimeOffset now)
    {
        var outcome = Outcome(run, now);
        foreach (var error in run.Steps.Select(s => SafeText.OneLine(s.Error)).Where(e => e.Length > 0))
        {
            outcome = outcome.Replace($": {error}", error.EndsWith('.') ? ", as told above." : ", as told above", StringComparison.Ordinal);
        }

        return outcome;
    }

    /// <summary>Commands that a reader may want next; nothing for a run that needs nobody.</summary>
    public static IEnumerable<string> WhatNow(RunSummary run) => run.State switch
    {
        RunStates.Paused =>
        [
            "It waits for you:",
            $"  msctl runs log {run.Id}            what happened",
            $"  msctl runs retry {run.Id} --watch  try the step again",
            $"  msctl runs skip {run.Id}           go on without it",
            $"  msctl runs cancel {run.Id} --undo  take back what was done",
        ],
        RunStates.Waiting when run is RunDetails { Steps: var steps } && steps.Any(s => s is { Kind: "approval", State: StepStates.Waiting }) =>
        [
            "It waits for your answer:",
            $"  msctl runs approve {run.Id}  yes",
            $"  msctl runs reject {run.Id}   no",
        ],
        // The product says it itself where another try is of no use.
        RunStates.Failed when run.Reason?.Contains("this run, tried again, ", StringComparison.Ordinal) == true => [$"  msctl runs log {run.Id}  what happened"],
        RunStates.Failed =>
        [
            $"  msctl runs log {run.Id}            what happened",
            $"  msctl runs retry {run.Id} --watch  try the same again",
        ],
        _ => [],
    };

    public static int ExitCodeOf(RunSummary run) => run.State switch
    {
        RunStates.Succeeded => ExitCode.Done,
        RunStates.Paused => ExitCode.RunPaused,
        _ => ExitCode.RunFailed,
    };
}
