using ManagedServers.Engine;

namespace ManagedServers.Dashboard.Runs;

/// <summary>How states of runs and steps are told.</summary>
internal static class RunWords
{
    public static bool Ended(this RunSummary run) => run.State is RunState.Succeeded or RunState.Failed or RunState.Cancelled;

    public static string Word(this RunSummary run) => run.Undoing && !run.Ended() ? $"{run.State}, undoing" : run.State.ToString();

    public static string Steps(this RunSummary run) => run.Undone ? "undone" : $"{run.StepsDone} of {run.StepsTotal}";

    public static string Tone(this RunState state) => state switch
    {
        RunState.Running => "busy",
        RunState.Succeeded => "good",
        RunState.Failed => "bad",
        RunState.Paused => "warn",
        _ => "idle",
    };

    public static string Tone(this StepState state) => state switch
    {
        StepState.Running => "busy",
        StepState.Succeeded => "good",
        StepState.Failed => "bad",
        StepState.Retrying or StepState.Interrupted or StepState.Waiting => "warn",
        _ => "idle",
    };

    public static Guid? Server(this RunSummary run) =>
        run.Subject is { } subject && subject.StartsWith("server:", StringComparison.Ordinal) && Guid.TryParse(subject["server:".Length..], out var id) ? id : null;

    public static string Sentence(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];
}
