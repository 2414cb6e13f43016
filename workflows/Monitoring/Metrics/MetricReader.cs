namespace ManagedServers.Workflows.Monitoring;

/// <summary>
/// Reads one server's buckets: those that are stored, with what still stands as rows put in as if it had been packed. The rows are read first: their place is
/// given back when they are gone (<see cref="DayPartitions.Shrink"/>), and from then on the moment of a reader does not have them any more.
/// </summary>
internal sealed class MetricReader(StoredBeats stored, Guid serverId, MetricChoice choice, MetricGrid grid)
{
    // A counter's growth begins at the value before.
    private readonly DateTime since = (grid.Level ?? Level.Minute).Block(grid.Start - (grid.Level ?? Level.Minute).Bucket);

    public async Task<IReadOnlyDictionary<SeriesKey, List<TimedRollup>>> Read(CancellationToken cancellationToken)
    {
        var found = new Dictionary<SeriesKey, List<TimedRollup>>();
        foreach (var (key, bucket) in grid.Level is { } level ? await Buckets(level, cancellationToken) : await Beats(cancellationToken))
        {
            if (bucket.At >= since && bucket.At < grid.End)
            {
                (found.TryGetValue(key, out var list) ? list : found[key] = []).Add(bucket);
            }
        }

        return found;
    }

    private async Task<IEnumerable<(SeriesKey, TimedRollup)>> Beats(CancellationToken cancellationToken)
    {
        var unpacked = await stored.Unpacked(serverId, since, grid.End, cancellationToken);
        var hours = new SortedDictionary<DateTime, IReadOnlyList<StoredHeartbeat>>();
        foreach (var (hour, beats) in (await stored.Packed(serverId, since, grid.End, cancellationToken)).Concat(unpacked))
        {
            hours[hour] = beats;
        }

        return from hour in hours.Values
               from beat in hour
               from value in BeatValues.Of(beat)
               where choice.Has(value.Key)
               select (value.Key, new TimedRollup(beat.SentAt.UtcDateTime, Rollup.Of(MetricCatalogue.Find(value.Key.Metric)!.Kind, value.Value)));
    }

    private async Task<IEnumerable<(SeriesKey, TimedRollup)>> Buckets(Level level, CancellationToken cancellationToken)
    {
        var unpacked = await Unpacked(level, cancellationToken);
        var blocks = new SortedDictionary<DateTime, Rollups>(await stored.Blocks(level, serverId, since, grid.End, choice.Has, cancellationToken));
        foreach (var (at, block) in unpacked)
        {
            blocks[at] = block;
        }

        return from block in blocks
               from series in block.Value.Series
               where choice.Has(series.Key)
               from bucket in series.Value.SelectMany(
                   (place, slot) => place is { } value ? new[] { new TimedRollup(block.Key + slot * level.Bucket, value) } : [])
               select (series.Key, bucket);
    }

    /// <summary>The blocks of a level in which something has not been packed yet, with it.</summary>
    private async Task<Dictionary<DateTime, Rollups>> Unpacked(Level level, CancellationToken cancellationToken)
    {
        if (level == Level.Minute)
        {
            return (await stored.Unpacked(serverId, since, grid.End, cancellationToken)).ToDictionary(h => h.Key, h => Rollups.Minutes(h.Value));
        }

        var finer = await Unpacked(level == Level.Day ? Level.Hour : Level.Minute, cancellationToken);
        if (finer.Count == 0)
        {
            return finer;
        }

        var starts = finer.Keys.Select(level.Block).ToHashSet();
        var known = await stored.Blocks(level, serverId, starts.Min(), starts.Max().AddTicks(10), choice.Has, cancellationToken);
        var blocks = starts.ToDictionary(start => start, start => known.GetValueOrDefault(start) ?? new Rollups(level));
        foreach (var (at, block) in finer)
        {
            blocks[level.Block(at)].Replace(level.Slot(at), block.Whole());
        }

        return blocks;
    }
}
