using System.Security.Cryptography;
using Renci.SshNet;

namespace ManagedServers.Workflows.Hosts.Ssh;

/// <summary>The one SSH connection to a host, with a bounded number of channels.</summary>
internal sealed class SshConnection : IAsyncDisposable
{
    private readonly SshClient client;
    private readonly HostsOptions options;
    private readonly SemaphoreSlim slots;
    private readonly ITimer pulse;
    private readonly CancellationTokenSource closed = new();
    private int inUse;
    private int pulsing;
    private int disposed;

    public SshConnection(SshClient client, HostsOptions options, TimeProvider time)
    {
        (this.client, this.options) = (client, options);
        slots = new SemaphoreSlim(options.MaxChannels);
        pulse = time.CreateTimer(_ => _ = Pulse(), null, options.PulseInterval, options.PulseInterval);
    }

    /// <summary>Stands before the real output of each command. Random, so that nothing a host prints at login can be it.</summary>
    public string Marker { get; } = "managed-servers-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));

    /// <summary>Set when the connection is closed from this side; commands that still run are lost then.</summary>
    public CancellationToken Closed => closed.Token;

    public bool IsAlive => disposed == 0 && client.IsConnected;

    /// <summary>Opens a channel that runs the program; waits for a free one.</summary>
    /// <param name="target">The host as who asks calls it, for messages: others share the connection.</param>
    /// <param name="still">It stands still most of the time: whoever asks it sees to it that it answers.</param>
    public async Task<SshChannel> Open(
        HostTarget target, IReadOnlyList<string> argv, IReadOnlyDictionary<string, string> environment, bool withInput, bool asRoot, string what, CancellationToken cancellationToken, bool still = false)
    {
        var line = RemoteCommandLine.For(argv, environment, Marker, withInput, asRoot);
        await slots.WaitAsync(cancellationToken);
        Interlocked.Add(ref inUse, still ? 0 : 1);
        var opening = BlockingThreads.Run(() => SshChannel.Open(this, target, client, line, withInput, asRoot, what, still));
        try
        {
            return await opening.WaitAsync(options.Patience, cancellationToken);
        }
        catch (Exception failure)
        {
            // Opened late, by a host that was slow: closed again as soon as it is there, which frees its place.
            _ = opening.ContinueWith(t => t.IsCompletedSuccessfully ? t.Result.DisposeAsync().AsTask() : Forget(t, still), TaskScheduler.Default);
            if (failure is TimeoutException)
            {
                await DisposeAsync();
            }

            throw failure is OperationCanceledException ? failure : SshProblems.OfChannel(failure, target, what);
        }
    }

    /// <summary>Opens a way through this host to a further address, as the host resolves and reaches it. Beside the counted channels: OpenSSH's limit is for sessions.</summary>
    /// <param name="target">The host as who asks calls it.</param>
    public async Task<SshTunnel> OpenTunnel(HostTarget target, HostAddress address, SshPort port, string what, CancellationToken cancellationToken)
    {
        var opening = BlockingThreads.Run(() => SshTunnel.Open(address, port, Attach, Detach, client));
        try
        {
            return await opening.WaitAsync(cancellationToken);
        }
        catch (Exception failure)
        {
            _ = opening.ContinueWith(t =>
            {
                if (t.IsCompletedSuccessfully)
                {
                    t.Result.Close();
                }

                return t.Exception;
            }, TaskScheduler.Default);
            throw failure is OperationCanceledException ? failure : SshProblems.OfChannel(failure, target, what);
        }
    }

    /// <summary>Signals a process group. Beside the counted channels, since those may all be waiting for just this.</summary>
    public async Task Signal(int processGroup, string signal, bool asRoot, TimeSpan limit)
    {
        var line = RemoteCommandLine.For(["kill", "-s", signal, "--", $"-{processGroup}"], new Dictionary<string, string>(), Marker, false, asRoot);
        var sending = BlockingThreads.Run(() => client.RunCommand(line).Dispose());
        await Task.WhenAny(sending, Task.Delay(limit));
        _ = sending.ContinueWith(t => t.Exception, TaskScheduler.Default);
    }

    public void Release(bool still)
    {
        Interlocked.Add(ref inUse, still ? 0 : -1);
        slots.Release();
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
        {
            return;
        }

        await pulse.DisposeAsync();
        await closed.CancelAsync();
        try
        {
            // SSH.NET would wait this long for a tunnel to which a silent host never said a word.
            client.ConnectionInfo.Timeout = TimeSpan.FromSeconds(1);
            await BlockingThreads.Run(client.Dispose);
        }
        catch (Exception failure) when (failure is Renci.SshNet.Common.SshException or System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            // It was broken already.
        }
    }

    // SSH.NET keeps them in a plain list.
    private void Attach(ForwardedPortLocal port)
    {
        lock (slots)
        {
            client.AddForwardedPort(port);
        }
    }

    private void Detach(ForwardedPortLocal port)
    {
        lock (slots)
        {
            client.RemoveForwardedPort(port);
        }
    }

    private Task Forget(Task failed, bool still)
    {
        _ = failed.Exception;
        Release(still);
        return Task.CompletedTask;
    }

    /// <summary>Asks the host whether it is still there. Without an answer in time the connection is closed.</summary>
    public async Task<bool> Answers(TimeSpan limit)
    {
        var answer = BlockingThreads.Run(() => client.RunCommand(":").Dispose());
        try
        {
            await answer.WaitAsync(limit);
            return true;
        }
        catch (Renci.SshNet.Common.SshException refused) when (SshProblems.IsFull(refused))
        {
            // That is an answer: a jump host may allow no sessions at all.
            return true;
        }
        catch (Exception failure) when (failure is TimeoutException or Renci.SshNet.Common.SshException or InvalidOperationException or System.Net.Sockets.SocketException)
        {
            _ = answer.ContinueWith(t => t.Exception, TaskScheduler.Default);
            await DisposeAsync();
            return false;
        }
    }

    // A host that lost its power or its network says nothing; TCP alone would wait a quarter of an hour.
    private async Task Pulse()
    {
        if (Volatile.Read(ref inUse) > 0 && disposed == 0 && Interlocked.Exchange(ref pulsing, 1) == 0)
        {
            await Answers(options.Patience);
            Volatile.Write(ref pulsing, 0);
        }
    }
}
