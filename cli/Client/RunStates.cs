namespace ManagedServers.Cli.Client;

/// <summary>
/// The words for where a run stands. Words, not an enumeration: a newer product may know more of them, and they are shown as they come.
/// </summary>
public static class RunStates
{
    /// <summary>Waits for a worker, an exclusive key or its due time.</summary>
    public const string Queued = "queued";

    /// <summary>A node executes it.</summary>
    public const string Running = "running";

    /// <summary>Holds no worker until a retry is due, or a signal or a timer comes.</summary>
    public const string Waiting = "waiting";

    /// <summary>Waits for an operator.</summary>
    public const string Paused = "paused";

    /// <summary>Every step done.</summary>
    public const string Succeeded = "succeeded";

    /// <summary>Ended by a failure.</summary>
    public const string Failed = "failed";

    /// <summary>Ended by an operator.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>Whether a run in this state will not go on by itself or by an operator's answer.</summary>
    public static bool Ended(string state) => state is Succeeded or Failed or Cancelled;
}

/// <summary>The words for where a step stands.</summary>
public static class StepStates
{
    /// <summary>Its turn has not come.</summary>
    public const string Pending = "pending";

    /// <summary>Under way.</summary>
    public const string Running = "running";

    /// <summary>Failed; will be tried again by itself.</summary>
    public const string Retrying = "retrying";

    /// <summary>Waits for a signal, an approval, a time or child runs.</summary>
    public const string Waiting = "waiting";

    /// <summary>Done.</summary>
    public const string Succeeded = "succeeded";

    /// <summary>Tries used up, or rejected.</summary>
    public const string Failed = "failed";

    /// <summary>Ended without an answer.</summary>
    public const string Interrupted = "interrupted";

    /// <summary>Its condition did not hold, or an operator skipped it.</summary>
    public const string Skipped = "skipped";

    /// <summary>Cancelled while under way.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>Was done, and has been taken back.</summary>
    public const string Undone = "undone";
}
