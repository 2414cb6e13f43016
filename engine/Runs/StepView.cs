namespace ManagedServers.Engine;

/// <summary>A step as operators see it: the plan, the latest attempt, and what the undo made of it.</summary>
internal static class StepView
{
    public static StepDetails Of(RunRow run, int seq, PlanSnapshot.Step plan, IReadOnlyList<AttemptRow> forward, AttemptRow? undo)
    {
        var last = forward.Count > 0 ? forward[^1] : null;
        // An undo of an earlier round is over once the step has run again.
        var back = undo is not null && last is not null && undo.Fence >= last.Fence ? undo : null;
        var shown = back is { State: not "skipped" } ? back : last;
        var working = run.ProgressSeq == seq && shown is { State: "running" };
        return new StepDetails
        {
            Seq = seq,
            Name = plan.Name,
            Title = plan.Title,
            Kind = plan.Kind,
            State = State(run, last, back),
            Attempts = forward.Count(a => a.State != "skipped"),
            Changed = last?.Changed,
            Summary = last?.Summary,
            Error = shown?.Error,
            StartedAt = shown?.StartedAt,
            FinishedAt = shown?.FinishedAt,
            NextTryAt = run.InFlight ? shown?.NextTryAt : null,
            Progress = working ? run.Progress : null,
            ProgressNote = working ? run.ProgressNote : null,
            Output = last?.OutputJson,
        };
    }

    private static StepState State(RunRow run, AttemptRow? last, AttemptRow? back) => (last, back) switch
    {
        (null, _) => StepState.Pending,
        (_, { State: "succeeded" }) => StepState.Undone,
        (_, { State: "running" }) => StepState.Running,
        (_, { State: "waiting" }) => StepState.Waiting,
        (_, { State: "failed", NextTryAt: not null }) when run.InFlight => StepState.Retrying,
        (_, { State: "failed" }) => StepState.Failed,
        (_, { State: "interrupted" }) => StepState.Interrupted,
        (_, { State: "cancelled" }) => StepState.Cancelled,
        ({ State: "running" }, _) => StepState.Running,
        ({ State: "waiting" }, _) => StepState.Waiting,
        ({ State: "failed", NextTryAt: not null }, _) when run.InFlight => StepState.Retrying,
        ({ State: "failed" }, _) => StepState.Failed,
        ({ State: "interrupted" }, _) => StepState.Interrupted,
        ({ State: "skipped" }, _) => StepState.Skipped,
        ({ State: "cancelled" }, _) => StepState.Cancelled,
        _ => StepState.Succeeded,
    };
}
