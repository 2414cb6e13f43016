using ManagedServers.Workflows.Hosts.Ssh;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Hosts;

/// <summary>One connection a host and login, shared by all who work on it and kept a while after the last one.</summary>
internal sealed class HostPool(HostsOptions options, TimeProvider time, ILogger<HostPool> log) : IHosts, IAsyncDisposable
{
    // A host that lost its power or its network meanwhile says nothing by itself; one question costs some milliseconds.
    private static readonly TimeSpan TrustedIdle = TimeSpan.FromSeconds(5);
    private readonly Lock gate = new();
    private readonly Dictionary<HostTarget, Entry> entries = [];
    private int openedInAll;

    /// <summary>Connections opened since the start: "one an install" is a promise that tests count.</summary>
    public int OpenedInAll => openedInAll;

    public int OpenNow
    {
        get
        {
            lock (gate)
            {
                return entries.Count;
            }
        }
    }

    public async Task<HostKey> ReadHostKey(HostAddress address, SshPort port, HostTarget? via = null, CancellationToken cancellationToken = default)
    {
        var where = $"{address.InUrl}:{port}";
        await using var way = await Way(via, address, port, where, cancellationToken);
        try
        {
            return await SshConnector.ReadHostKey(way.Dial, where, options.ConnectTimeout, cancellationToken);
        }
        catch (Exception failure)
        {
            throw await way.Explain(failure, options.ConnectTimeout);
        }
    }

    public async Task<IHost> Connect(HostTarget target, CancellationToken cancellationToken = default) => new Host(await Take(target, cancellationToken), target, time);

    public async Task Prove(HostTarget target, CancellationToken cancellationToken = default)
    {
        var key = KeyOf(target);
        try
        {
            var link = await Open(target, cancellationToken);
            var proven = new Entry { OpenedFor = target, Connecting = Task.FromResult(link), GiveUp = new CancellationTokenSource(), Leases = 1 };
            await Replace(key, proven);
            await Return(key, proven);
        }
        catch (HostRejectedException changed) when (changed.Code == HostProblem.HostKeyChanged)
        {
            // The connection from before is trusted no more.
            await Replace(key, null);
            throw;
        }
    }

    /// <summary>Who works on the connection from before still ends; who comes next gets the other, or makes one.</summary>
    private async Task Replace(HostTarget key, Entry? other)
    {
        Entry? before;
        lock (gate)
        {
            entries.Remove(key, out before);
            if (other is not null)
            {
                entries[key] = other;
            }
        }

        if (before is not null)
        {
            await CloseIdle(key, before);
        }
    }

    private async Task<HostLease> Take(HostTarget target, CancellationToken cancellationToken)
    {
        var key = KeyOf(target);
        for (var again = false; ;)
        {
            var entry = Lease(key, target, out var idleFor);
            try
            {
                var link = await entry.Connecting.WaitAsync(cancellationToken);
                if (link.Connection.IsAlive && (idleFor < TrustedIdle || await link.Connection.Answers(options.ConnectTimeout).WaitAsync(cancellationToken)))
                {
                    return new HostLease(link, target, () => Return(key, entry));
                }
            }
            catch (HostUnavailableException lost) when (!again && target.Via is not null && lost.Code == HostProblem.ConnectionLost)
            {
                // A jump host's connection, kept from before, was dead and nobody had noticed yet: over a new one it may go.
                again = true;
                await Return(key, entry);
                continue;
            }
            catch
            {
                await Return(key, entry);
                throw;
            }

            Drop(key, entry);
            await Return(key, entry);
        }
    }

    public async ValueTask DisposeAsync()
    {
        List<Entry> all;
        lock (gate)
        {
            // Those behind others first: they end in order, and give back what they went through.
            all = [.. entries.OrderByDescending(e => Hops(e.Key)).Select(e => e.Value)];
            entries.Clear();
        }

        foreach (var entry in all)
        {
            await Close(entry);
        }
    }

    private Entry Lease(HostTarget key, HostTarget target, out TimeSpan idleFor)
    {
        lock (gate)
        {
            if (!entries.TryGetValue(key, out var entry))
            {
                var giveUp = new CancellationTokenSource();
                entries[key] = entry = new Entry { OpenedFor = target, Connecting = Open(target, giveUp.Token), GiveUp = giveUp };
            }

            entry.Leases++;
            idleFor = entry.Idle is null ? TimeSpan.Zero : time.GetElapsedTime(entry.IdleSince);
            entry.Idle?.Dispose();
            entry.Idle = null;
            return entry;
        }
    }

    private async Task<HostLink> Open(HostTarget target, CancellationToken cancellationToken)
    {
        await Task.Yield();
        var way = await Way(target.Via, target.Address, target.Port, target.ToString(), cancellationToken);
        try
        {
            var client = await SshConnector.Open(target, way.Dial, options.ConnectTimeout, cancellationToken);
            var count = Interlocked.Increment(ref openedInAll);
            log.LogInformation("SSH connection to {Host} opened ({Open} open, {Opened} opened since the start)", target, OpenNow, count);
            return new HostLink(new SshConnection(client, options, time), way);
        }
        catch (Exception failure)
        {
            var reason = await way.Explain(failure, options.ConnectTimeout);
            await way.DisposeAsync();
            throw reason;
        }
    }

    internal async Task<HostWay> Way(HostTarget? via, HostAddress address, SshPort port, string where, CancellationToken cancellationToken) => via is null
        ? HostWay.Direct(address, port, where)
        : await HostWay.Through(await Take(via, cancellationToken), address, port, where, cancellationToken);

    // Names and commands are for messages only.
    private static HostTarget KeyOf(HostTarget target) => target with { DisplayName = "", AcceptKeyBy = null, Login = HostLogin.Root, Via = target.Via is { } via ? KeyOf(via) : null };

    private static int Hops(HostTarget target) => target.Via is { } via ? 1 + Hops(via) : 0;

    private async ValueTask Return(HostTarget key, Entry entry)
    {
        lock (gate)
        {
            entry.Leases--;
            var current = entries.GetValueOrDefault(key) == entry;
            if (current && entry.IsUsable)
            {
                if (entry.Leases == 0)
                {
                    entry.IdleSince = time.GetTimestamp();
                    entry.Idle = time.CreateTimer(_ => _ = CloseIdle(key, entry), null, options.IdleTimeout, Timeout.InfiniteTimeSpan);
                }

                return;
            }

            // Failed, broken, or given up by the last who waited for it.
            if (current && (entry.Connecting.IsCompleted || entry.Leases == 0))
            {
                entries.Remove(key);
            }

            if (entry.Leases > 0)
            {
                return;
            }
        }

        await Close(entry);
    }

    private void Drop(HostTarget key, Entry entry)
    {
        lock (gate)
        {
            if (entries.GetValueOrDefault(key) == entry)
            {
                entries.Remove(key);
            }
        }
    }

    private async Task CloseIdle(HostTarget key, Entry entry)
    {
        lock (gate)
        {
            if (entry.Leases > 0)
            {
                return;
            }

            if (entries.GetValueOrDefault(key) == entry)
            {
                entries.Remove(key);
            }
        }

        await Close(entry);
    }

    private async Task Close(Entry entry)
    {
        if (Interlocked.Exchange(ref entry.Closed, 1) != 0)
        {
            return;
        }

        entry.Idle?.Dispose();
        try
        {
            await entry.GiveUp.CancelAsync();
            var link = await entry.Connecting;
            await link.DisposeAsync();
            log.LogInformation("SSH connection to {Host} closed ({Open} open)", entry.OpenedFor, OpenNow);
        }
        catch (Exception failure)
        {
            log.LogDebug(failure, "An SSH connection that never came about was dropped");
        }
    }

    private sealed class Entry
    {
        /// <summary>The host as the first one called it.</summary>
        public required HostTarget OpenedFor { get; init; }

        public required Task<HostLink> Connecting { get; init; }

        public required CancellationTokenSource GiveUp { get; init; }

        public int Leases { get; set; }

        /// <summary>1 once somebody closes it: at the end of the pool, those behind it give it back as well.</summary>
        public int Closed;

        public ITimer? Idle { get; set; }

        public long IdleSince { get; set; }

        public bool IsUsable => Connecting.IsCompletedSuccessfully && Connecting.Result.Connection.IsAlive;
    }
}
