namespace ManagedServers.Engine;

/// <summary>
/// Writes what a run's owner decides, with patience: while the database is away it tries again until it answers or the lease is lost.
/// </summary>
internal sealed class RunWriter(LiveRun run, ClaimedRun claimed, Journal journal, RunQueue queue, Notifier notifier, TimeProvider time)
{
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(200);

    private string? cancelBy;
    private string? cancelWhy;

    public string? CancelMode { get; private set; }

    /// <summary>"Cancelled by ada: wrong host."</summary>
    public string CancelSentence => $"Cancelled by {cancelBy ?? "an operator"}" + (string.IsNullOrWhiteSpace(cancelWhy) ? "." : $": {cancelWhy.Trim().TrimEnd('.')}.");

    /// <summary>The kind was paused before the attempt could begin.</summary>
    public bool KindPaused { get; private set; }

    /// <summary>Somebody cancels it, before the attempt could begin; an undo that was ordered goes on.</summary>
    public bool IsCancelled { get; private set; }

    /// <summary>The line of a run that has paused or failed.</summary>
    public string? Stopped { get; private set; }

    public void CancelIs(string mode, string? by, string? why) => (CancelMode, cancelBy, cancelWhy) = (mode, by, why);

    /// <summary>A cancel is heard of before it is read of: finds out by whom, and why.</summary>
    public async Task LearnOfCancel()
    {
        if (CancelMode is null && run.Cause is StopCause.Cancel or StopCause.CancelWithUndo
            && await Persist(() => journal.Look(run)) is { CancelMode: { } mode } held)
        {
            CancelIs(mode, held.CancelBy, held.CancelWhy);
        }
    }

    /// <summary>False: the run is no longer ours, and nothing was written.</summary>
    public async Task<bool> Advance(Position position, AttemptEnd? end, AttemptStart? start, string? reason = null, Note? note = null)
    {
        if (end is not null && run.Log.HasPending)
        {
            // Who sees that a step has ended sees all that it said.
            await Persist(async () => { await run.Log.Flush(); return run; });
        }

        var held = await Persist(() => journal.Advance(run, position, end, start, reason, note));
        return Heed(held);
    }

    /// <summary>True: the run goes on here after all, because somebody cancels it.</summary>
    public async Task<bool> Leave(Position position, AttemptEnd? end, Departure departure, Note? note)
    {
        await Persist(async () => { await run.Log.Flush(); return run; });
        var held = await Persist(() => journal.Leave(run, claimed, position, end, departure, note));
        notifier.Changed(run.Id);
        if (Heed(held))
        {
            return true;
        }

        Stopped = held is not null && departure.State is "paused" or "failed" ? $"The run {(departure.State == "paused" ? "is paused" : "failed")}. {departure.Reason}" : null;
        if (departure.State == "waiting" && held is not null && held.Next.All(n => n.Id != run.Id))
        {
            await queue.TryEnqueue(new QueuedRun(run.Id, RunQueue.Of((RunPriority)claimed.Priority)), departure.Due);
        }

        foreach (var next in held?.Next ?? [])
        {
            await queue.TryEnqueue(next);
            notifier.Changed(next.Id);
        }

        return false;
    }

    /// <summary>The answer of a statement, or null when the lease was lost before there was one.</summary>
    public async Task<T?> Persist<T>(Func<Task<T>> write) where T : class?
    {
        while (run.Cause != StopCause.LeaseLost)
        {
            try
            {
                return await write();
            }
            catch (Exception fault) when (TransientFault.Is(fault))
            {
                await Task.Delay(Again, time);
            }
        }

        return null;
    }

    private bool Heed(Held? held)
    {
        notifier.Changed(run.Id);
        if (held is not { Ours: true })
        {
            return false;
        }

        (KindPaused, IsCancelled) = (held.KindPaused, held.Cancelled);
        if (held.CancelMode is { } mode)
        {
            CancelIs(mode, held.CancelBy, held.CancelWhy);
            run.Stop(mode);
        }

        return true;
    }
}
