using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Runs;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Watching;

/// <summary>
/// Lines for pipes and logs: each start, try, end and log line once. It compares what a step was with what it is, so steps that
/// came and went while the connection was lost are told too. What its reader has seen of the run already is not told again.
/// </summary>
internal sealed class PlainRunView(Screen screen, TimeProvider time, RunDetails? seen = null) : IRunView
{
    private readonly Dictionary<int, StepDetails> told = seen?.Steps.ToDictionary(s => s.Seq) ?? [];

    // The last error told of a step: the product both logs why a step failed and says it with the step's state, in either order.
    private readonly Dictionary<int, string> errors = [];

    // Log lines and states come on their own ways: a line may be here before the word that its step started.
    private readonly Queue<LogLine> early = new();
    private RunDetails? last = seen;
    private int steps = seen?.StepsTotal ?? 0;
    private readonly bool isNew = seen is null;

    public void Show(StreamedEvent update)
    {
        switch (update)
        {
            case RunChanged changed: Show(changed.Run); break;
            case RunEnded ended: Show(ended.Run); break;
            case LogWritten written: early.Enqueue(written.Line); break;
        }

        LogOf(Known);
        screen.Out.Flush();
    }

    public void Lost() => screen.Note(RunWatch.Lost);

    public ValueTask DisposeAsync()
    {
        LogOf(_ => true);
        return ValueTask.CompletedTask;
    }

    private void LogOf(Func<int, bool> step)
    {
        while (early.TryPeek(out var line) && step(line.StepSeq))
        {
            Log(early.Dequeue());
        }
    }

    // A line of a step that is to begin, or to begin anew, is told after the word that it does.
    private bool Known(int step) => last is not null
        && (told.GetValueOrDefault(step) is not { State: StepStates.Pending or StepStates.Retrying or StepStates.Failed or StepStates.Interrupted }
            || told.Values.Any(s => s.Seq > step && s.State != StepStates.Pending));

    private void Show(RunDetails run)
    {
        if (last is null && isNew)
        {
            Tell(run.StartedAt ?? run.CreatedAt, $"{run.Title} (run {run.Id}, {Words.Many(run.StepsTotal, "step")})");
        }

        steps = run.StepsTotal;
        foreach (var step in run.Undoing ? run.Steps.Reverse() : run.Steps)
        {
            Step(run, step);
            told[step.Seq] = step;
        }

        // Also when the reason alone is new: a queued run learns only after a while which other it waits for.
        if (run.State is RunStates.Queued or RunStates.Waiting && run.Reason is { Length: > 0 } reason && (run.State != last?.State || reason != last.Reason))
        {
            Tell(null, $"{run.State}: {reason}");
        }

        last = run;
    }

    private void Step(RunDetails run, StepDetails step)
    {
        var before = told.GetValueOrDefault(step.Seq);
        var (state, attempts) = (before?.State ?? StepStates.Pending, before?.Attempts ?? 0);
        if (state == step.State && attempts == step.Attempts)
        {
            return;
        }

        var began = step.Attempts > attempts || (step.State == StepStates.Running && state != StepStates.Running);
        if (began && step.State is not (StepStates.Undone or StepStates.Skipped))
        {
            Tell(step.StartedAt, $"{Place(run, step)} {(step.Attempts > 1 ? $"try {step.Attempts}" : "started")}");
        }

        // A quick step is over before anybody hears that it began: what it said stands between the two.
        LogOf(seq => seq == step.Seq || Known(seq));

        if (End(step) is { } end)
        {
            Tell(step.FinishedAt, $"{Place(run, step)} {end}");
        }
    }

    private string? End(StepDetails step)
    {
        var took = step is { StartedAt: { } start, FinishedAt: { } finish } ? $" in {Words.Span(finish - start)}" : "";
        var told = RunWords.Done(step) is { Length: > 0 } done ? $": {done}" : "";
        var why = step.Error is { Length: > 0 } error && IsNews(step.Seq, error) ? $": {error}" : "";
        return step.State switch
        {
            StepStates.Succeeded => $"done{took}{told}",
            StepStates.Skipped => $"skipped{told}",
            StepStates.Retrying => $"failed (try {step.Attempts}), {(step.NextTryAt is { } at ? $"next try at {Words.Stamp(at)}" : "will be tried again")}{why}",
            StepStates.Failed => $"failed{took}{why}",
            StepStates.Interrupted => $"interrupted{why}",
            StepStates.Cancelled => "cancelled",
            StepStates.Undone => "undone",
            _ => null,
        };
    }

    private void Log(LogLine line)
    {
        var place = line.StepSeq > 0 && steps > 0 ? $"[{line.StepSeq}/{steps}]" : "[-]";
        var level = line.Level is "information" ? "" : $"{line.Level}: ";
        if (Tones.OfLevel(line.Level) is not Tone.Bad || IsNews(line.StepSeq, line.Message))
        {
            Tell(line.At, $"{place}   {level}{line.Message.TrimEnd()}");
        }
    }

    private bool IsNews(int step, string error)
    {
        var known = errors.GetValueOrDefault(step) == error.Trim();
        errors[step] = error.Trim();
        return !known;
    }

    private static string Place(RunDetails run, StepDetails step) => $"[{step.Seq}/{run.StepsTotal}] {step.Title}:";

    private void Tell(DateTimeOffset? at, string text) => screen.Line($"{Words.Stamp(at ?? time.GetUtcNow())} {SafeText.Line(text)}");
}
