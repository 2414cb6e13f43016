using Hangfire;

namespace ManagedServers.Engine;

/// <summary>Hangfire's workers of this node: there while it may take runs, gone while it is drained, so that it takes no jobs only to lay them aside.</summary>
internal sealed class NodeWorkers(Func<BackgroundJobServer> start) : IDisposable
{
    private readonly Lock gate = new();
    private BackgroundJobServer? server = start();
    private bool stopped;

    public void Drain(bool drain)
    {
        lock (gate)
        {
            if (stopped || drain == (server is null))
            {
                return;
            }

            if (!drain)
            {
                server = start();
                return;
            }

            Retire(server!);
            server = null;
        }
    }

    /// <summary>No new jobs; those under way go on.</summary>
    public void Stop()
    {
        lock (gate)
        {
            stopped = true;
            server?.SendStop();
        }
    }

    public void Dispose()
    {
        Stop();
        server?.Dispose();
    }

    // Its jobs may take hours: it is let go when they are done, not waited for.
    private static void Retire(BackgroundJobServer retired)
    {
        retired.SendStop();
        _ = retired.WaitForShutdownAsync(CancellationToken.None).ContinueWith(_ => retired.Dispose(), TaskScheduler.Default);
    }
}
