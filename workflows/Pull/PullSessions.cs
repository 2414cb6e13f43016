using System.Collections.Concurrent;
using ManagedServers.Workflows.Hosts;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Pull;

/// <summary>The sessions of this node, each kept for the next question and for one who asks at a time.</summary>
internal sealed class PullSessions : IAsyncDisposable
{
    // Each is a connection with a thread, some 200 KB in all. Beyond, a session is made for a question and ended after it.
    private const int MostKept = 1000;

    // A login takes the processor ten times as long as a question, on both sides.
    private const int OpeningAtOnce = 8;

    private static readonly TimeSpan KeptUnused = TimeSpan.FromMinutes(11);
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(1);
    private readonly Func<Guid, CancellationToken, Task<IHost>> connect;
    private readonly TimeProvider time;
    private readonly ILogger<PullSessions> log;
    private readonly ConcurrentDictionary<Guid, Slot> slots = [];
    private readonly SemaphoreSlim opening = new(OpeningAtOnce);
    private readonly ITimer watch;
    private int open;

    /// <param name="connect">The way to a server's host.</param>
    public PullSessions(Func<Guid, CancellationToken, Task<IHost>> connect, TimeProvider time, ILogger<PullSessions> log)
    {
        (this.connect, this.time, this.log) = (connect, time, log);
        watch = time.CreateTimer(_ => _ = Watch(), null, WatchInterval, WatchInterval);
    }

    /// <summary>What is done with a session.</summary>
    public async Task<TResult> With<TResult>(PulledServer server, Func<PullSession, Task<TResult>> ask, CancellationToken cancellationToken)
    {
        var slot = await Take(server.Id, cancellationToken);
        try
        {
            if (slot.Session is { } before && before.Version != server.Version)
            {
                await Close(slot);
            }

            slot.Session ??= await Open(server, cancellationToken);
            slot.Session.UsedAt = time.GetTimestamp();
            return await ask(slot.Session);
        }
        finally
        {
            if (slot.Session is { InStep: false } || open > MostKept)
            {
                await Close(slot);
            }

            slot.Turn.Release();
        }
    }

    /// <summary>Lets go of the server's host.</summary>
    public async Task Close(Guid serverId, CancellationToken cancellationToken)
    {
        var slot = await Take(serverId, cancellationToken);
        await Close(slot);
        slots.TryRemove(serverId, out _);
        slot.Turn.Release();
    }

    public async ValueTask DisposeAsync()
    {
        await watch.DisposeAsync();
        await Task.WhenAll(slots.Values.Select(slot => Close(slot)));
    }

    private async Task<Slot> Take(Guid serverId, CancellationToken cancellationToken)
    {
        while (true)
        {
            var slot = slots.GetOrAdd(serverId, _ => new Slot());
            await slot.Turn.WaitAsync(cancellationToken);
            if (slots.TryGetValue(serverId, out var current) && current == slot)
            {
                return slot;
            }

            slot.Turn.Release(); // it was given up while we waited
        }
    }

    private async Task<PullSession> Open(PulledServer server, CancellationToken cancellationToken)
    {
        await opening.WaitAsync(cancellationToken);
        try
        {
            var session = await PullSession.Open(await connect(server.Id, cancellationToken), server, cancellationToken);
            Interlocked.Increment(ref open);
            return session;
        }
        finally
        {
            opening.Release();
        }
    }

    private async Task Close(Slot slot)
    {
        if (slot.Session is { } session)
        {
            slot.Session = null;
            Interlocked.Decrement(ref open);
            await session.DisposeAsync();
        }
    }

    /// <summary>Ends those that nobody asks any more, and those in which a host talks without being asked: nothing would bound what waits to be read.</summary>
    private async Task Watch()
    {
        foreach (var (server, slot) in slots)
        {
            if (!await slot.Turn.WaitAsync(0))
            {
                continue;
            }

            try
            {
                if (slot.Session is { Unasked: > 0 } loud)
                {
                    log.LogWarning("The host of server {Server} sends without being asked ({Bytes} bytes); its session is ended", server, loud.Unasked);
                    await Close(slot);
                }
                else if (slot.Session is { } idle && time.GetElapsedTime(idle.UsedAt) > KeptUnused)
                {
                    await Close(slot);
                }

                if (slot.Session is null)
                {
                    slots.TryRemove(server, out _);
                }
            }
            finally
            {
                slot.Turn.Release();
            }
        }
    }

    private sealed class Slot
    {
        public SemaphoreSlim Turn { get; } = new(1);

        public PullSession? Session { get; set; }
    }
}
