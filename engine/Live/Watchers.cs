using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace ManagedServers.Engine;

/// <summary>Those in this process who watch runs. Hints are merged while a watcher is busy; none is queued without bound.</summary>
internal sealed class Watchers(EngineOptions options, TimeProvider time)
{
    // Beyond this many waiting ids a watcher of all is told that anything may have changed.
    private const int WaitingIds = 500;

    private readonly ConcurrentDictionary<Watcher, byte> all = new();

    public void Tell(IReadOnlyCollection<Guid> runs)
    {
        foreach (var watcher in all.Keys)
        {
            watcher.Tell(runs);
        }
    }

    /// <summary>Yields <see cref="Guid.Empty"/> where anything may have changed.</summary>
    public async IAsyncEnumerable<Guid> Watch(Guid? only, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var watcher = new Watcher(only);
        all[watcher] = 0;
        try
        {
            yield return only ?? Guid.Empty;
            while (!cancellationToken.IsCancellationRequested)
            {
                foreach (var id in await watcher.Next(options.WatchPoll, time, cancellationToken))
                {
                    yield return id;
                }
            }
        }
        finally
        {
            all.TryRemove(watcher, out _);
        }
    }

    private sealed class Watcher(Guid? only)
    {
        private readonly Lock gate = new();
        private HashSet<Guid> waiting = [];
        private TaskCompletionSource any = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Tell(IReadOnlyCollection<Guid> runs)
        {
            lock (gate)
            {
                var before = waiting.Count;
                waiting.UnionWith(only is { } id ? runs.Where(r => r == id || r == Guid.Empty).Select(_ => id) : runs);
                if (waiting.Count > WaitingIds)
                {
                    waiting = [Guid.Empty];
                }

                if (waiting.Count != before)
                {
                    any.TrySetResult();
                }
            }
        }

        public async Task<IReadOnlyCollection<Guid>> Next(TimeSpan poll, TimeProvider time, CancellationToken cancellationToken)
        {
            try
            {
                await any.Task.WaitAsync(poll, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                return [only ?? Guid.Empty];
            }
            catch (OperationCanceledException)
            {
                return [];
            }

            lock (gate)
            {
                any = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                (var told, waiting) = (waiting, []);
                return told;
            }
        }
    }
}
