namespace ManagedServers.Workflows.Hosts.Ssh;

/// <summary>
/// SSH.NET blocks its caller while it waits for the host. On the thread pool, a few slow hosts would stall everything else,
/// so these waits have threads of their own, kept a while for the next ones.
/// </summary>
internal static class BlockingThreads
{
    private static readonly TimeSpan KeepIdle = TimeSpan.FromSeconds(10);
    private static readonly object Gate = new();
    private static readonly Queue<Action> Waiting = new();
    private static int idle;

    public static Task<T> Run<T>(Func<T> body)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Work()
        {
            try
            {
                done.SetResult(body());
            }
            catch (Exception failure)
            {
                done.SetException(failure);
            }
        }

        lock (Gate)
        {
            Waiting.Enqueue(Work);
            if (idle >= Waiting.Count)
            {
                Monitor.Pulse(Gate);
                return done.Task;
            }
        }

        new Thread(Loop) { IsBackground = true, Name = "ssh" }.Start();
        return done.Task;
    }

    public static Task Run(Action body) => Run(() =>
    {
        body();
        return true;
    });

    private static void Loop()
    {
        while (Next() is { } work)
        {
            work();
        }
    }

    private static Action? Next()
    {
        lock (Gate)
        {
            Action? work;
            while (!Waiting.TryDequeue(out work))
            {
                idle++;
                var pulsed = Monitor.Wait(Gate, KeepIdle);
                idle--;
                if (!pulsed && Waiting.Count == 0)
                {
                    return null;
                }
            }

            return work;
        }
    }
}
