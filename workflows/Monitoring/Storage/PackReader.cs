using System.IO.Compression;
using System.Text;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Reads what <see cref="PackWriter"/> wrote, in the same order.</summary>
internal sealed class PackReader
{
    private readonly byte[] bytes;
    private int position;

    /// <exception cref="InvalidDataException">It is no such thing.</exception>
    public PackReader(byte[] packed)
    {
        bytes = new byte[packed.Length < 4 ? 0 : BitConverter.ToInt32(packed)];
        if (packed.Length < 4 || !BrotliDecoder.TryDecompress(packed.AsSpan(4), bytes, out var length) || length != bytes.Length)
        {
            throw new InvalidDataException($"{packed.Length} stored bytes are no packed measurements.");
        }
    }

    public bool End => position == bytes.Length;

    public ulong Number()
    {
        var (value, shift) = (0UL, 0);
        while (true)
        {
            var next = bytes[position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }

            shift += 7;
        }
    }

    public long Signed()
    {
        var value = Number();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    public string Text()
    {
        var length = (int)Number();
        var text = Encoding.UTF8.GetString(bytes, position, length);
        position += length;
        return text;
    }

    public long?[] Column(int rows)
    {
        var runs = new int[(int)Number()];
        for (var i = 0; i < runs.Length; i++)
        {
            runs[i] = (int)Number();
        }

        runs = runs.Length == 0 ? [rows] : runs;
        var values = Values(runs.Where((_, i) => i % 2 == 0).Sum());
        var column = new long?[rows];
        var (row, next) = (0, 0);
        for (var i = 0; i < runs.Length; i++)
        {
            for (var end = row + runs[i]; row < end; row++)
            {
                column[row] = i % 2 == 0 ? values[next++] : null;
            }
        }

        return column;
    }

    public string?[] Texts(int rows)
    {
        var distinct = new string[(int)Number()];
        for (var i = 0; i < distinct.Length; i++)
        {
            distinct[i] = Text();
        }

        return [.. Column(rows).Select(place => place is { } at ? distinct[at] : null)];
    }

    private long[] Values(int count)
    {
        if (count == 0)
        {
            return [];
        }

        var (first, unit) = (Signed(), (long)Number());
        if (unit == 0)
        {
            return [.. Enumerable.Repeat(first, count)];
        }

        var coding = (Coding)Number();
        var told = new long[Codings.Length(coding, count)];
        for (var i = 0; i < told.Length; i++)
        {
            told[i] = Signed();
        }

        Codings.Decode(coding, told);
        return Array.ConvertAll(told[(told.Length - count)..], step => unchecked(first + step * unit));
    }
}
