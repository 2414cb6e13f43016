using Microsoft.Extensions.Logging;

namespace ManagedServers.Engine;

/// <summary>What a step says goes to the run's log and to its attempt, until the attempt is over.</summary>
internal sealed class RunStepContext(LiveRun run, int seq, int attempt, bool wasInterrupted, JournalMemory journal, Text text, CancellationToken cancellation) : StepContext
{
    private volatile bool over;

    public override Guid RunId => run.Id;

    public override int Seq => seq;

    public override int Attempt => attempt;

    public override bool WasInterrupted => wasInterrupted;

    public override int SuccessesOf(int of) => journal.Successes(of);

    public override CancellationToken Cancellation => cancellation;

    public override bool CancelledByOperator => run.Cause is StopCause.Cancel or StopCause.CancelWithUndo;

    /// <summary>As the step said it, redacted; null when it did not say.</summary>
    public (bool Changed, string Summary)? Said { get; private set; }

    public override void Log(string message, LogLevel level = LogLevel.Information)
    {
        if (!over && level != LogLevel.None)
        {
            run.Log.Write(seq, level, message ?? "");
        }
    }

    public override void Progress(double fraction, string? note = null)
    {
        if (!over)
        {
            run.Log.Progress(seq, double.IsNaN(fraction) ? 0 : Math.Clamp(fraction, 0, 1), note);
        }
    }

    public override void Changed(string what) => Say(true, what);

    public override void Unchanged(string what) => Say(false, what);

    /// <summary>A step that is left behind says nothing more.</summary>
    public void Close() => over = true;

    private void Say(bool changed, string what)
    {
        if (!over)
        {
            Said = (changed, text.Summary(what));
        }
    }
}
