using ManagedServers.Workflows.Hosts.Ssh;

namespace ManagedServers.Workflows.Hosts.Docker;

/// <summary>A channel as the stream that an HTTP connection wants.</summary>
internal sealed class ChannelStream(SshChannel channel) : Stream
{
    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var reading = channel.Output.Read(buffer);
        if (reading.IsCompleted)
        {
            return await reading;
        }

        // A read that was given up still owns the buffer until the channel ends, so it must end here.
        await using var giveUp = cancellationToken.Register(() => _ = channel.DisposeAsync().AsTask());
        var read = await reading;
        cancellationToken.ThrowIfCancellationRequested();
        return read;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!await channel.Write(buffer))
        {
            throw new IOException("The connection to Docker has ended.");
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _ = channel.DisposeAsync().AsTask();
        }

        base.Dispose(disposing);
    }
}
