using System.Buffers;
using System.IO.Compression;
using System.Text;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Writes columns of whole numbers in few bytes: as steps, in varints (seven bits a byte, the low ones first), compressed as a whole.</summary>
internal sealed class PackWriter
{
    // Brotli's; beyond it a hundredth fewer bytes cost ten times as long.
    private const int Quality = 6;
    private const int Window = 18;

    private readonly ArrayBufferWriter<byte> buffer = new(8192);

    public void Number(ulong value)
    {
        var room = buffer.GetSpan(10);
        var used = 0;
        for (; value >= 0x80; value >>= 7)
        {
            room[used++] = (byte)(value | 0x80);
        }

        room[used++] = (byte)value;
        buffer.Advance(used);
    }

    /// <summary>Zig-zag: small ones of either sign are short.</summary>
    public void Signed(long value) => Number(ZigZag(value));

    public void Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Number((ulong)bytes.Length);
        buffer.Write(bytes);
    }

    /// <summary>One value a row, of some number of rows that the reader knows; null where there is none.</summary>
    public void Column(IReadOnlyList<long?> rows)
    {
        var values = new List<long>(rows.Count);
        Presence(rows, values);
        if (values.Count > 0)
        {
            Values(values);
        }
    }

    /// <summary>Texts that repeat themselves: each one once, and a column that says which.</summary>
    public void Texts(IReadOnlyList<string?> rows)
    {
        var distinct = rows.OfType<string>().Distinct().ToList();
        var places = distinct.Select((text, i) => (text, i)).ToDictionary(t => t.text, t => (long)t.i);
        Number((ulong)distinct.Count);
        distinct.ForEach(Text);
        Column([.. rows.Select(r => r is null ? (long?)null : places[r])]);
    }

    /// <summary>What was written, with its length before compression in front.</summary>
    public byte[] Compressed()
    {
        var packed = new byte[4 + BrotliEncoder.GetMaxCompressedLength(buffer.WrittenCount)];
        BitConverter.TryWriteBytes(packed, buffer.WrittenCount);
        return BrotliEncoder.TryCompress(buffer.WrittenSpan, packed.AsSpan(4), out var length, Quality, Window)
            ? packed[..(4 + length)]
            : throw new InvalidOperationException($"{buffer.WrittenCount} bytes could not be compressed.");
    }

    // Lengths of the runs of present and absent rows, by turns; none where all are present.
    private void Presence(IReadOnlyList<long?> rows, List<long> values)
    {
        var runs = new List<ulong> { 0 };
        var present = true;
        foreach (var row in rows)
        {
            if (row.HasValue != present)
            {
                present = !present;
                runs.Add(0);
            }

            runs[^1]++;
            if (row is { } value)
            {
                values.Add(value);
            }
        }

        Number(runs.Count == 1 ? 0 : (ulong)runs.Count);
        foreach (var run in runs.Count == 1 ? [] : runs)
        {
            Number(run);
        }
    }

    // First value, the largest step of which all differences are multiples (0: none differs), and how the rest is told.
    private void Values(List<long> values)
    {
        var first = values[0];
        var unit = 0UL;
        foreach (var value in values)
        {
            unit = Divisor(Magnitude(unchecked(value - first)), unit);
        }

        unit = unit > long.MaxValue ? 1 : unit;
        Signed(first);
        Number(unit);
        if (unit == 0)
        {
            return;
        }

        var steps = values.ConvertAll(v => unchecked(v - first) / (long)unit);
        var (coding, told) = Enum.GetValues<Coding>().Select(c => (c, Told: Codings.Encode(c, steps))).MinBy(c => Cost(c.Told));
        Number((ulong)coding);
        told.ForEach(Signed);
    }

    private static long Cost(List<long> told)
    {
        var bits = 0L;
        foreach (var value in told)
        {
            bits += 64 - long.LeadingZeroCount((long)ZigZag(value));
        }

        return bits;
    }

    private static ulong ZigZag(long value) => (ulong)((value << 1) ^ (value >> 63));

    private static ulong Magnitude(long value) => value < 0 ? (ulong)(-(value + 1)) + 1 : (ulong)value;

    private static ulong Divisor(ulong a, ulong b)
    {
        while (b != 0)
        {
            (a, b) = (b, a % b);
        }

        return a;
    }
}
