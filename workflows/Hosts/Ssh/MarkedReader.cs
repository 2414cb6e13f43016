using System.Globalization;
using System.Text;

namespace ManagedServers.Workflows.Hosts.Ssh;

/// <summary>One output of a command, without what the login shell printed before it. For one reader at a time.</summary>
internal sealed class MarkedReader(Stream stream, string marker)
{
    private const int LongestNoise = 256 * 1024;
    private readonly byte[] mark = Encoding.ASCII.GetBytes(marker + " ");
    private byte[] pending = [];
    private int taken;

    /// <summary>False also when the end came first: then the program never started.</summary>
    public bool Started { get; private set; }

    /// <summary>The command's process group: sshd starts each command in a session of its own.</summary>
    public int ProcessGroup { get; private set; }

    /// <summary>What came before the program, at most its last part.</summary>
    public string Noise { get; private set; } = "";

    /// <summary>What has come and was not read yet.</summary>
    public long Waiting => pending.Length - taken + stream.Length;

    /// <summary>Waits until the program starts. False when the end came first.</summary>
    public Task<bool> Start() => Started ? Task.FromResult(true) : SkipNoise();

    /// <summary>0 at the end.</summary>
    public async ValueTask<int> Read(Memory<byte> buffer)
    {
        if (!Started && !await SkipNoise())
        {
            return 0;
        }

        if (taken < pending.Length)
        {
            var count = Math.Min(buffer.Length, pending.Length - taken);
            pending.AsMemory(taken, count).CopyTo(buffer);
            taken += count;
            return count;
        }

        return await ReadStream(buffer);
    }

    /// <summary>As <see cref="Read"/>, after the start, on the caller's own thread.</summary>
    public int ReadBlocking(Span<byte> buffer) => stream.Read(buffer);

    private async Task<bool> SkipNoise()
    {
        var buffer = new byte[4096];
        while (await ReadStream(buffer) is var read and > 0)
        {
            pending = [.. pending.AsSpan(pending.Length > LongestNoise ? pending.Length / 2 : 0), .. buffer.AsSpan(0, read)];
            var at = pending.AsSpan().IndexOf(mark);
            var end = at < 0 ? -1 : pending.AsSpan(at).IndexOf((byte)'\n');
            if (end >= 0)
            {
                Noise = Encoding.UTF8.GetString(pending, 0, at);
                ProcessGroup = int.TryParse(pending.AsSpan(at + mark.Length, end - mark.Length), CultureInfo.InvariantCulture, out var id) ? id : 0;
                taken = at + end + 1;
                Started = true;
                return true;
            }
        }

        Noise = Encoding.UTF8.GetString(pending);
        pending = [];
        return false;
    }

    private ValueTask<int> ReadStream(Memory<byte> buffer) =>
        // Length is what has come and was not read yet: no waiting then.
        stream.Length > 0 ? ValueTask.FromResult(stream.Read(buffer.Span)) : new ValueTask<int>(BlockingThreads.Run(() => stream.Read(buffer.Span)));
}
