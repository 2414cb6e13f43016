using System.Buffers;
using ManagedServers.Workflows.Hosts.Ssh;

namespace ManagedServers.Workflows.Hosts;

/// <summary>A program on a host that stays and answers each line with one line. It stands still most of the time, so it does not count as work that the connection has to be watched for. For one question at a time.</summary>
public sealed class LineSession : IAsyncDisposable
{
    // What a login prints, and a program's last words: nobody reads them while all is well.
    private const int Murmur = 64 * 1024;

    private readonly SshChannel channel;
    private readonly HostTarget target;
    private readonly string what;
    private readonly byte[] buffer = new byte[32 * 1024];

    internal LineSession(SshChannel channel, HostTarget target, string what) => (this.channel, this.target, this.what) = (channel, target, what);

    /// <summary>Bytes that have come and that nobody has asked for: a program that keeps to the order of question and answer leaves none.</summary>
    public long Unasked => channel.Output.Waiting + Math.Max(0, channel.Error.Waiting - Murmur);

    /// <param name="question">Without its line end.</param>
    /// <param name="longest">Bytes of the answer, at most.</param>
    /// <exception cref="HostUnavailableException">It does not answer in time, or the connection was lost. The session is of no use any more, after any exception.</exception>
    /// <exception cref="HostRejectedException">The answer is too long, or the program could not be started.</exception>
    public async Task<ReadOnlyMemory<byte>> Ask(ReadOnlyMemory<byte> question, int longest, TimeSpan patience, CancellationToken cancellationToken = default)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        try
        {
            var answering = Exchange(question, longest);
            _ = answering.ContinueWith(t => t.Exception, TaskScheduler.Default);
            return await answering.WaitAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HostUnavailableException(HostProblem.CommandTimeout, $"{what} did not answer within {patience.TotalSeconds:0} s. The host is overloaded, or the connection to it is broken; the next try is over a new one.");
        }
    }

    public ValueTask DisposeAsync() => channel.DisposeAsync();

    private async Task<ReadOnlyMemory<byte>> Exchange(ReadOnlyMemory<byte> question, int longest)
    {
        // The first question waits for the program's start.
        var started = channel.Output.Started;
        if (started && channel.Output.Waiting > 0)
        {
            throw new HostRejectedException(HostProblem.CommandFailed, $"{what} speaks without being asked. Nothing of it was taken.");
        }

        byte[] line = [.. question.Span, (byte)'\n'];
        var begun = started && !channel.HasEnded;
        if (begun || await channel.Write(line))
        {
            var answer = new ArrayBufferWriter<byte>();
            for (var read = begun ? await channel.Exchange(line, buffer) : await channel.Output.Read(buffer); read > 0; read = await channel.Output.Read(buffer))
            {
                var end = buffer.AsSpan(0, read).IndexOf((byte)'\n');
                answer.Write(buffer.AsSpan(0, end < 0 ? read : end));
                if (answer.WrittenCount > longest)
                {
                    throw new HostRejectedException(HostProblem.CommandFailed, $"{what} answers with more than {longest / 1024} KiB. Nothing of it was taken.");
                }

                if (end >= 0)
                {
                    return end == read - 1 ? answer.WrittenMemory : throw new HostRejectedException(HostProblem.CommandFailed, $"{what} answers with more than the one line that was asked for. Nothing of it was taken.");
                }
            }
        }

        var exit = await channel.ExitCode();
        throw channel.Output.Started
            ? new HostUnavailableException(HostProblem.CommandFailed, $"{what} has ended (exit code {exit}). It said: {HostCommandException.Tail(await Said(), 500)}")
            : SshProblems.OfStart(channel, exit, target);
    }

    private async Task<string> Said()
    {
        var read = await channel.Error.Read(buffer);
        return read > 0 ? System.Text.Encoding.UTF8.GetString(buffer, 0, read).Trim() : "nothing";
    }
}
