using System.Buffers;
using System.Text;

namespace ManagedServers.Workflows.Hosts.OnHost;

/// <summary>Keeps the first bytes of an output, up to a limit, and hands out its lines.</summary>
internal sealed class OutputCollector(int limit, bool isError, Action<CommandLine>? onLine, Lock oneAtATime)
{
    private const int LongestLine = 1 << 20;
    private readonly ArrayBufferWriter<byte> kept = new();
    private readonly StringBuilder line = new();
    private readonly Decoder decoder = Encoding.UTF8.GetDecoder();

    public bool Truncated { get; private set; }

    public byte[] Bytes => kept.WrittenSpan.ToArray();

    public string Text => Encoding.UTF8.GetString(kept.WrittenSpan);

    public void Add(ReadOnlySpan<byte> data)
    {
        var room = Math.Min(limit - kept.WrittenCount, data.Length);
        kept.Write(data[..room]);
        Truncated |= room < data.Length;
        if (onLine is not null)
        {
            Span<char> text = new char[Encoding.UTF8.GetMaxCharCount(data.Length)];
            Split(text[..decoder.GetChars(data, text, flush: false)]);
        }
    }

    /// <summary>The output is over: what has no line end is a line too.</summary>
    public void Finish()
    {
        if (line.Length > 0)
        {
            Emit();
        }
    }

    private void Split(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (c != '\n')
            {
                line.Append(c);
            }

            if (c == '\n' || line.Length >= LongestLine)
            {
                Emit();
            }
        }
    }

    private void Emit()
    {
        var text = line.ToString().TrimEnd('\r');
        line.Clear();
        lock (oneAtATime)
        {
            onLine!(new CommandLine(text, isError));
        }
    }
}
