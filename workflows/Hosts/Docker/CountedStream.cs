using Docker.DotNet.Models;

namespace ManagedServers.Workflows.Hosts.Docker;

/// <summary>Says how much of a stream has been read.</summary>
internal sealed class CountedStream(Stream source, Action<long>? progress) : Stream
{
    private long count;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => count; set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => Counted(await source.ReadAsync(buffer, cancellationToken));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => Counted(source.Read(buffer, offset, count));

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Counted(int read)
    {
        count += read;
        if (read > 0)
        {
            progress?.Invoke(count);
        }

        return read;
    }
}

/// <summary>What the engine says while it loads an archive. A failure comes as a message too, after the status 200.</summary>
internal sealed class LoadedImages : IProgress<JSONMessage>
{
    public List<string> References { get; } = [];

    public string? Error { get; private set; }

    public void Report(JSONMessage value)
    {
        Error ??= value.Error?.Message;
        // "Loaded image: name:tag\n" or "Loaded image ID: sha256:…\n"
        var text = value.Stream?.Trim() ?? "";
        var at = text.IndexOf(": ", StringComparison.Ordinal);
        if (text.StartsWith("Loaded image", StringComparison.Ordinal) && at > 0)
        {
            References.Add(text[(at + 2)..]);
        }
    }
}
