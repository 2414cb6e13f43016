using System.Runtime.CompilerServices;

namespace ManagedServers.Workflows.Monitoring;

/// <param name="At">When it begins; of a single beat, when it was made.</param>
internal readonly record struct TimedRollup(DateTime At, Rollup Value);

/// <summary>
/// Reads one server's buckets block by block, because all of a year would be too many: those that are stored, with what still stands as rows put in as if it
/// had been packed. The rows are read first: their place is given back when they are gone (<see cref="DayPartitions.Shrink"/>), and from then on the moment of
/// a reader does not have them any more.
/// </summary>
internal sealed class MetricReader(StoredBeats stored, Guid serverId, MetricChoice choice, MetricGrid grid)
{
    // A counter's growth begins at the value before.
    private readonly DateTime since = (grid.Level ?? Level.Minute).Block(grid.Start - (grid.Level ?? Level.Minute).Bucket);

    /// <summary>Those of each metric in the order of their times.</summary>
    public IAsyncEnumerable<(SeriesKey Key, TimedRollup Bucket)> Read(CancellationToken cancellationToken) =>
        (grid.Level is { } level ? Buckets(level, cancellationToken) : Beats(cancellationToken)).Where(b => b.Bucket.At >= since && b.Bucket.At < grid.End);

    private async IAsyncEnumerable<(SeriesKey Key, TimedRollup Bucket)> Beats([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var unpacked = await stored.Unpacked(serverId, since, grid.End, cancellationToken);
        await foreach (var beat in InPlace(stored.Packed(serverId, since, grid.End), unpacked, cancellationToken).SelectMany(hour => hour.Block))
        {
            foreach (var (key, value) in BeatValues.Of(beat).Where(v => choice.Has(v.Key)))
            {
                yield return (key, new TimedRollup(beat.SentAt.UtcDateTime, Rollup.Of(MetricCatalogue.Find(key.Metric)!.Kind, value)));
            }
        }
    }

    private async IAsyncEnumerable<(SeriesKey Key, TimedRollup Bucket)> Buckets(Level level, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var unpacked = await Unpacked(level, cancellationToken);
        await foreach (var (at, block) in InPlace(stored.Blocks(level, serverId, since, grid.End, choice.Has), unpacked, cancellationToken))
        {
            foreach (var (key, places) in block.Series.Where(s => choice.Has(s.Key)))
            {
                for (var slot = 0; slot < places.Length; slot++)
                {
                    if (places[slot] is { } value)
                    {
                        yield return (key, new TimedRollup(at + slot * level.Bucket, value));
                    }
                }
            }
        }
    }

    /// <summary>Stored blocks in the order of their times, with those that are newer in their places.</summary>
    private static async IAsyncEnumerable<(DateTime At, T Block)> InPlace<T>(
        IAsyncEnumerable<(DateTime At, T Block)> blocks, IReadOnlyDictionary<DateTime, T> newer, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var waiting = new Queue<KeyValuePair<DateTime, T>>(newer.OrderBy(n => n.Key));
        await foreach (var (at, block) in blocks.WithCancellation(cancellationToken))
        {
            while (waiting.TryPeek(out var next) && next.Key < at)
            {
                yield return (next.Key, waiting.Dequeue().Value);
            }

            yield return waiting.TryPeek(out var same) && same.Key == at ? (at, waiting.Dequeue().Value) : (at, block);
        }

        foreach (var (at, block) in waiting)
        {
            yield return (at, block);
        }
    }

    /// <summary>The blocks of a level in which something has not been packed yet, with it.</summary>
    private async Task<IReadOnlyDictionary<DateTime, Rollups>> Unpacked(Level level, CancellationToken cancellationToken)
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

        var blocks = finer.Keys.Select(level.Block).Distinct().ToDictionary(start => start, _ => new Rollups(level));
        await foreach (var (at, known) in stored.Blocks(level, serverId, blocks.Keys.Min(), blocks.Keys.Max() + level.Bucket, choice.Has).WithCancellation(cancellationToken))
        {
            if (blocks.ContainsKey(at))
            {
                blocks[at] = known;
            }
        }

        foreach (var (at, block) in finer)
        {
            blocks[level.Block(at)].Replace(level.Slot(at), block.Whole());
        }

        return blocks;
    }
}
