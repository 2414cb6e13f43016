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
    private bool disposed;
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
        lock (gate)
        {
            // A cancel with undo is repeated by every renewal of the lease, and the run's time may run out: the undo itself must not be hit by either.
            if (disposed || cause <= Cause || (undoOrdered && (cause is StopCause.CancelWithUndo or StopCause.RunTimedOut)))
            {
                return;
            }

            Cause = cause;
            // Callbacks of the step must not hold up who tells us: they run elsewhere.
            _ = signal.CancelAsync();
        }
    }

    public void Stop(string cancelMode) => Stop(cancelMode == nameof(CancelMode.Undo) ? StopCause.CancelWithUndo : StopCause.Cancel);

    /// <summary>The cause is dealt with and the run goes on, undoing.</summary>
    public void GoOnUndoing()
    {
        lock (gate)
        {
            undoOrdered = true;
            GoOnFrom(StopCause.CancelWithUndo);
        }
    }

    /// <summary>The run's time is over, and nothing is left for it to stop. A cancel still counts.</summary>
    public void PassOverTime()
    {
        lock (gate)
        {
            GoOnFrom(StopCause.RunTimedOut);
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            disposed = true; // a timer or the lease may be about to tell us something
            signal.Dispose();
        }
    }

    private void GoOnFrom(StopCause highest)
    {
        if (Cause != StopCause.None && Cause <= highest)
        {
            Cause = StopCause.None;
            signal = new CancellationTokenSource();
        }
    }
}

/// <summary>All runs that this node executes.</summary>
internal sealed class LiveRuns
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<(Guid Id, long Fence), LiveRun> runs = new();

    private readonly System.Collections.Concurrent.ConcurrentDictionary<Guid, int> leftBehind = new();

    public IReadOnlyCollection<LiveRun> All => [.. runs.Values];

    public int Count => runs.Count;

    public void Add(LiveRun run) => runs[(run.Id, run.Fence)] = run;

    public void Remove(LiveRun run) => runs.TryRemove((run.Id, run.Fence), out _);

    /// <summary>Until the work has ended, this node does not begin that run again: a step that did not let go would meet itself.</summary>
    public void LeaveBehind(Guid id, Task work)
    {
        leftBehind.AddOrUpdate(id, 1, (_, n) => n + 1);
        _ = work.ContinueWith(_ => leftBehind.AddOrUpdate(id, 0, (_, n) => n - 1), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default)
            .ContinueWith(_ => leftBehind.TryRemove(KeyValuePair.Create(id, 0)), TaskScheduler.Default);
    }

    /// <summary>The runs of which a step is still at work that did not let go.</summary>
    public IReadOnlyCollection<Guid> LeftBehind => [.. leftBehind.Where(l => l.Value > 0).Select(l => l.Key)];

    public bool IsAtWorkFor(Guid id) => leftBehind.TryGetValue(id, out var steps) && steps > 0;

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
