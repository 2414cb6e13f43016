using ManagedServers.Cli.Client;

namespace ManagedServers.Cli.Output;

/// <summary>What a word means to its reader; a terminal shows it as a colour.</summary>
internal enum Tone
{
    Plain,
    Good,
    Busy,
    Warning,
    Bad,
    Quiet,
    Strong,
}

internal static class Tones
{
    public static Tone OfRun(string state) => state switch
    {
        RunStates.Succeeded => Tone.Good,
        RunStates.Running => Tone.Busy,
        RunStates.Waiting or RunStates.Paused => Tone.Warning,
        RunStates.Failed => Tone.Bad,
        RunStates.Queued or RunStates.Cancelled => Tone.Quiet,
        _ => Tone.Plain,
    };

    public static Tone OfStep(string state) => state switch
    {
        StepStates.Succeeded => Tone.Good,
        StepStates.Running => Tone.Busy,
        StepStates.Retrying or StepStates.Interrupted or StepStates.Waiting => Tone.Warning,
        StepStates.Failed => Tone.Bad,
        StepStates.Pending or StepStates.Skipped or StepStates.Cancelled or StepStates.Undone => Tone.Quiet,
        _ => Tone.Plain,
    };

    public static Tone OfServer(string state) => state switch
    {
        "running" => Tone.Good,
        "installing" or "uninstalling" or "starting" => Tone.Busy,
        "stopped" or "degraded" or "drifted" => Tone.Warning,
        "failed" or "unreachable" => Tone.Bad,
        _ => Tone.Plain,
    };

    public static Tone OfHeartbeat(string? status) => status switch
    {
        "healthy" => Tone.Good,
        "starting" => Tone.Busy,
        "degraded" => Tone.Warning,
        "silent" => Tone.Bad,
        _ => Tone.Quiet,
    };

    public static Tone OfLevel(string level) => level switch
    {
        "warning" => Tone.Warning,
        "error" or "critical" => Tone.Bad,
        "debug" or "trace" => Tone.Quiet,
        _ => Tone.Plain,
    };
}
