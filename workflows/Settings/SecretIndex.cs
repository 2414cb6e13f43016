using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace ManagedServers.Workflows.Settings;

/// <summary>
/// Finds any of very many values in a text. .NET's own search for many strings (SearchValues) is built anew for each further value, which takes 3 s and 160 MB for a hundred
/// thousand; this one learns in about a microsecond, and looks once at each character of a text.
/// </summary>
internal sealed class SecretIndex
{
    /// <summary>Characters of each value by which it is found: no value may be shorter.</summary>
    public const int Window = 6;

    private const int FilterBits = 1 << 23;
    private readonly ConcurrentDictionary<ulong, Entry> entries = new();
    private readonly int[] filter = new int[FilterBits / 32];

    public void Add(string value)
    {
        // The middle is what differs most: keys of one kind all begin alike.
        var offset = (value.Length - Window) / 2;
        var hash = Hash(value.AsSpan(offset, Window));
        entries.AddOrUpdate(hash, _ => new Entry(value, offset, null), (_, first) => Has(first, value) ? first : new Entry(value, offset, first));
        Interlocked.Or(ref filter[Bit(hash) >> 5], 1 << (Bit(hash) & 31));
    }

    /// <returns>Where the values stand; they may overlap.</returns>
    public List<(int From, int To)> Find(string text)
    {
        List<(int, int)> found = [];
        for (var at = 0; at + Window <= text.Length; at++)
        {
            var hash = Hash(text.AsSpan(at, Window));
            if ((filter[Bit(hash) >> 5] & (1 << (Bit(hash) & 31))) == 0 || !entries.TryGetValue(hash, out var entry))
            {
                continue;
            }

            for (; entry is not null; entry = entry.Next)
            {
                var from = at - entry.Offset;
                if (from >= 0 && text.AsSpan(from).StartsWith(entry.Value, StringComparison.Ordinal))
                {
                    found.Add((from, from + entry.Value.Length));
                }
            }
        }

        return found;
    }

    private static bool Has(Entry? entry, string value)
    {
        while (entry is not null && entry.Value != value)
        {
            entry = entry.Next;
        }

        return entry is not null;
    }

    private static int Bit(ulong hash) => (int)(hash >> 41);

    private static ulong Hash(ReadOnlySpan<char> chars)
    {
        var bytes = MemoryMarshal.AsBytes(chars);
        var hash = (MemoryMarshal.Read<ulong>(bytes) * 0x9E3779B97F4A7C15) ^ (MemoryMarshal.Read<uint>(bytes[8..]) * 0xD6E8FEB86659FD93);
        return hash ^ (hash >> 32);
    }

    private sealed record Entry(string Value, int Offset, Entry? Next);
}
