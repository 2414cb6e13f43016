namespace ManagedServers.Engine;

/// <summary>Why a run's step is to let go; a later one in this list outranks the earlier ones.</summary>
internal enum StopCause
{
    None,
    RunTimedOut,
    CancelWithUndo,
    Cancel,
    NodeStops,
    LeaseLost,
}

/// <summary>A run that this node executes: its fence, its log, and the signal that makes its step let go.</summary>
internal sealed class LiveRun(Guid id, long fence, RunLog log, long claimedAt) : IDisposable
{
    private readonly Lock gate = new();
    private CancellationTokenSource signal = new();
    private bool undoOrdered;
    private long renewedAt = claimedAt;

    public Guid Id => id;

    public long Fence => fence;

    public RunLog Log => log;

    /// <summary>The moment before the claim, or its last renewal, was sent: from then on the lease holds.</summary>
    public long RenewedAt => Interlocked.Read(ref renewedAt);

    public void Renewed(long asked) => Interlocked.Exchange(ref renewedAt, asked);

    public StopCause Cause { get; private set; }

    /// <summary>Cancelled as soon as there is a cause.</summary>
    public CancellationToken Signal
    {
        get { lock (gate) { return signal.Token; } }
    }

    public void Stop(StopCause cause)
    {
        CancellationTokenSource cancel;
        lock (gate)
        {
            // A cancel with undo is repeated by every renewal of the lease, and the run's time may run out: the undo itself must not be hit by either.
            if (cause <= Cause || (undoOrdered && (cause is StopCause.CancelWithUndo or StopCause.RunTimedOut)))
            {
                return;
            }

            Cause = cause;
            cancel = signal;
        }

        // Callbacks of the step run here; they must not hold up who tells us.
        _ = cancel.CancelAsync();
    }

    public void Stop(string cancelMode) => Stop(cancelMode == nameof(CancelMode.Undo) ? StopCause.CancelWithUndo : StopCause.Cancel);

    /// <summary>The cause is dealt with and the run goes on, undoing.</summary>
    public void GoOnUndoing()
    {
        lock (gate)
        {
            undoOrdered = true;
            if (Cause is StopCause.RunTimedOut or StopCause.CancelWithUndo)
            {
                Cause = StopCause.None;
                signal = new CancellationTokenSource();
            }
        }
    }

    public void Dispose() => signal.Dispose();
}

/// <summary>All runs that this node executes.</summary>
internal sealed class LiveRuns
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<(Guid Id, long Fence), LiveRun> runs = new();

    public IReadOnlyCollection<LiveRun> All => [.. runs.Values];

    public int Count => runs.Count;

    public void Add(LiveRun run) => runs[(run.Id, run.Fence)] = run;

    public void Remove(LiveRun run) => runs.TryRemove((run.Id, run.Fence), out _);

    public void Stop(StopCause cause)
    {
        foreach (var run in runs.Values)
        {
            run.Stop(cause);
        }
    }

    public void Cancel(Guid id, string mode)
    {
        foreach (var run in runs.Values.Where(r => r.Id == id))
        {
            run.Stop(mode);
        }
    }
}
