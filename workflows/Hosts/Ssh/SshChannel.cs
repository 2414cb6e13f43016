using System.Net.Sockets;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace ManagedServers.Workflows.Hosts.Ssh;

/// <summary>One command on a host: its three streams and its end.</summary>
internal sealed class SshChannel : IAsyncDisposable
{
    private static readonly TimeSpan TermGrace = TimeSpan.FromSeconds(3);
    private static readonly string[] Signals = ["", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM"];
    private readonly SshConnection connection;
    private readonly HostTarget target;
    private readonly SshCommand command;
    private readonly TaskCompletionSource aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenRegistration whenClosed;
    private readonly Task ended;
    private readonly Stream? input;
    private readonly string what;
    private readonly bool still;
    private int disposed;

    private SshChannel(SshConnection connection, HostTarget target, SshCommand command, Task executed, Stream? input, bool asRoot, string what, bool still)
    {
        (this.connection, this.target, this.command, this.input, AsRoot, this.what, this.still) = (connection, target, command, input, asRoot, what, still);
        ended = Task.WhenAny(executed, aborted.Task).Unwrap();
        whenClosed = connection.Closed.Register(Abort);
        Output = new MarkedReader(command.OutputStream, connection.Marker);
        Error = new MarkedReader(command.ExtendedOutputStream, connection.Marker);
    }

    /// <summary>It was to become root through sudo.</summary>
    public bool AsRoot { get; }

    public bool HasEnded => ended.IsCompleted;

    public MarkedReader Output { get; }

    public MarkedReader Error { get; }

    /// <summary>Blocks; runs on a thread of <see cref="BlockingThreads"/>.</summary>
    public static SshChannel Open(SshConnection connection, HostTarget target, SshClient client, string commandLine, bool withInput, bool asRoot, string what, bool still = false)
    {
        var command = client.CreateCommand(commandLine);
        try
        {
            var executed = command.ExecuteAsync(CancellationToken.None);
            Stream? input = null;
            try
            {
                input = withInput ? command.CreateInputStream() : null;
            }
            catch (InvalidOperationException)
            {
                // It is over already: whatever is written goes nowhere, as with a closed pipe.
            }

            return new SshChannel(connection, target, command, executed, input, asRoot, what, still);
        }
        catch
        {
            command.Dispose();
            throw;
        }
    }

    /// <summary>False when the command no longer listens.</summary>
    public async Task<bool> Write(ReadOnlyMemory<byte> data)
    {
        if (input is null || ended.IsCompleted)
        {
            return false;
        }

        // A command that ends without reading leaves this write waiting for room that never comes.
        var writing = BlockingThreads.Run(() => input.Write(data.Span));
        if (await Task.WhenAny(writing, ended) == writing)
        {
            await OrLost(writing);
            return true;
        }

        _ = writing.ContinueWith(t => t.Exception, TaskScheduler.Default);
        return false;
    }

    /// <summary>Writes, and reads what comes then, on one thread: handing over between threads would be most of what a short question costs. 0 at the end; for a program that has started.</summary>
    public async Task<int> Exchange(ReadOnlyMemory<byte> data, Memory<byte> buffer)
    {
        var exchange = BlockingThreads.Run(() =>
        {
            input!.Write(data.Span);
            return Output.ReadBlocking(buffer.Span);
        });
        await OrLost(exchange);
        return await exchange;
    }

    /// <summary>No more input.</summary>
    public Task CloseInput() => input is null || ended.IsCompleted ? Task.CompletedTask : BlockingThreads.Run(() =>
    {
        try
        {
            input.Dispose();
        }
        catch (InvalidOperationException)
        {
            // The command ended in this moment.
        }
    });

    /// <summary>Waits for the end. Throws when the connection was lost before.</summary>
    public async Task<int> ExitCode()
    {
        await OrLost(ended);
        return command.ExitStatus
            ?? (command.ExitSignal is { } signal ? 128 + Math.Max(Array.IndexOf(Signals, signal), 0) : throw SshProblems.Lost(target, what));
    }

    /// <summary>Ends the command and its process group on the host: TERM, and KILL where that does not help.</summary>
    public async Task Terminate()
    {
        // Not with SSH's own signals: OpenSSH before 9.8 takes none for root.
        foreach (var signal in (string[])["TERM", "KILL"])
        {
            if (Output.ProcessGroup > 1 && !ended.IsCompleted && connection.IsAlive)
            {
                await connection.Signal(Output.ProcessGroup, signal, AsRoot, TermGrace);
                await Task.WhenAny(ended, Task.Delay(TermGrace));
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
        {
            return;
        }

        await whenClosed.DisposeAsync();
        try
        {
            await BlockingThreads.Run(command.Dispose);
        }
        catch (Exception failure) when (IsOfConnection(failure))
        {
            // The connection is gone, and the channel with it.
        }

        _ = ended.ContinueWith(t => t.Exception, TaskScheduler.Default);
        connection.Release(still);
    }

    // SSH.NET tells a command nothing of a connection that is closed from this side.
    private void Abort()
    {
        aborted.TrySetException(SshProblems.Lost(target, what));
        command.OutputStream.Dispose();
        command.ExtendedOutputStream.Dispose();
    }

    private static bool IsOfConnection(Exception failure) =>
        failure is SshException or SocketException or ObjectDisposedException or InvalidOperationException or NullReferenceException;

    private async Task OrLost(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception failure) when (IsOfConnection(failure))
        {
            throw SshProblems.Lost(target, what, failure);
        }
    }
}
