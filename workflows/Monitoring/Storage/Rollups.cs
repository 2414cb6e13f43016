namespace ManagedServers.Workflows.Monitoring;

/// <summary>The buckets of one block: by metric, one place for each bucket of its level, null where nothing was measured.</summary>
internal sealed class Rollups(Level level)
{
    private const ulong Version = 1;
    private readonly Dictionary<SeriesKey, Rollup?[]> series = [];

    public IReadOnlyDictionary<SeriesKey, Rollup?[]> Series => series;

    /// <summary>The minutes of an hour.</summary>
    /// <param name="beats">In the order of their times.</param>
    public static Rollups Minutes(IEnumerable<StoredHeartbeat> beats)
    {
        var minutes = new Rollups(Level.Minute);
        foreach (var beat in beats)
        {
            var slot = Level.Minute.Slot(beat.SentAt.UtcDateTime);
            foreach (var (key, value) in BeatValues.Of(beat))
            {
                minutes.Append(key, slot, Rollup.Of(Kind(key), value));
            }
        }

        return minutes;
    }

    /// <summary>All buckets as one.</summary>
    public IEnumerable<(SeriesKey Key, Rollup Whole)> Whole() =>
        from one in series
        let present = one.Value.OfType<Rollup>().ToList()
        where present.Count > 0
        select (one.Key, present.Aggregate((whole, next) => whole.Then(Kind(one.Key), next)));

    /// <summary>Puts another in the place of a bucket, for every metric.</summary>
    public void Replace(int slot, IEnumerable<(SeriesKey Key, Rollup Value)> bucket)
    {
        foreach (var places in series.Values)
        {
            places[slot] = null;
        }

        foreach (var (key, value) in bucket)
        {
            Places(key)[slot] = value;
        }
    }

    public byte[] Pack()
    {
        var pack = new PackWriter();
        pack.Number(Version);
        foreach (var (key, places) in series)
        {
            pack.Number((ulong)key.Metric);
            pack.Text(key.Label ?? "");
            pack.Column([.. places.Select(p => p?.Count)]);
            pack.Column([.. places.Select(p => p?.Low)]);
            pack.Column([.. places.Select(p => p is { } r ? unchecked(r.High - r.Low) : (long?)null)]);
            var rest = places.Select(p => p is { } r ? r.Total - Expected(key, r) : (Int128?)null).ToList();
            pack.Column([.. rest.Select(r => r is { } number ? unchecked((long)number) : (long?)null)]);
            pack.Column([.. rest.Select(r => r is { } number ? (long)(number >> 64) : (long?)null)]);
        }

        return pack.Compressed();
    }

    /// <param name="wanted">Which metrics; all if not given.</param>
    public static Rollups Unpack(Level level, byte[] data, Func<SeriesKey, bool>? wanted = null)
    {
        var pack = new PackReader(data);
        if (pack.Number() is not Version and var other)
        {
            throw new InvalidDataException($"Measurements by the {level.Name} were packed in the form {other}, by a newer version of the product.");
        }

        var rollups = new Rollups(level);
        while (!pack.End)
        {
            var key = new SeriesKey((int)pack.Number(), pack.Text() is { Length: > 0 } label ? label : null);
            var (counts, lows, spans, low64, high64) =
                (pack.Column(level.Buckets), pack.Column(level.Buckets), pack.Column(level.Buckets), pack.Column(level.Buckets), pack.Column(level.Buckets));
            if (wanted?.Invoke(key) == false)
            {
                continue;
            }

            var places = rollups.Places(key);
            for (var slot = 0; slot < level.Buckets; slot++)
            {
                if (counts[slot] is { } count)
                {
                    var bucket = new Rollup(count, lows[slot]!.Value, unchecked(lows[slot]!.Value + spans[slot]!.Value), 0);
                    var rest = ((Int128)high64[slot]!.Value << 64) + (ulong)low64[slot]!.Value;
                    places[slot] = bucket with { Total = Expected(key, bucket) + rest };
                }
            }
        }

        return rollups;
    }

    private void Append(SeriesKey key, int slot, Rollup value)
    {
        var places = Places(key);
        places[slot] = places[slot] is { } before ? before.Then(Kind(key), value) : value;
    }

    private Rollup?[] Places(SeriesKey key) => series.TryGetValue(key, out var places) ? places : series[key] = new Rollup?[level.Buckets];

    // What the other three tell of the total: all of it, where a bucket has one or two values of a gauge, or a counter was not started anew.
    private static Int128 Expected(SeriesKey key, Rollup bucket) => Kind(key) == MetricKind.Gauge
        ? ((Int128)bucket.Low + bucket.High) * bucket.Count / 2
        : (Int128)bucket.High - bucket.Low;

    // What is not known was stored by a newer version, and is not asked for by this one.
    private static MetricKind Kind(SeriesKey key) => MetricCatalogue.Find(key.Metric)?.Kind ?? MetricKind.Gauge;
}
