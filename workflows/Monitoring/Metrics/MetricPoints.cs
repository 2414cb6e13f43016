namespace ManagedServers.Workflows.Monitoring;

/// <param name="At">When it begins; of a single beat, when it was made.</param>
internal readonly record struct TimedRollup(DateTime At, Rollup Value);

/// <summary>Buckets as the values of steps.</summary>
internal sealed class MetricPoints(Metric metric, MetricGrid grid, DateTime now)
{
    /// <param name="buckets">In the order of their times; from before the start too, because a counter's growth begins there.</param>
    public IReadOnlyList<MetricPoint> Of(IReadOnlyList<TimedRollup> buckets)
    {
        var points = new List<MetricPoint>();
        for (var i = 0; i < buckets.Count;)
        {
            var step = grid.StepOf(buckets[i].At);
            var (first, whole) = (i, buckets[i].Value);
            for (i++; i < buckets.Count && grid.StepOf(buckets[i].At) == step; i++)
            {
                whole = whole.Then(metric.Kind, buckets[i].Value);
            }

            if (buckets[first].At >= grid.Start)
            {
                var at = new DateTimeOffset(grid.Level is null ? buckets[first].At : step);
                points.Add(metric.Kind == MetricKind.Gauge ? Gauge(at, whole) : Counter(at, whole, first == 0 ? null : buckets[first - 1], buckets[first].At, buckets[i - 1].At));
            }
        }

        return points;
    }

    private MetricPoint Gauge(DateTimeOffset at, Rollup whole) =>
        new(at, Rounded((double)whole.Total / whole.Count), Rounded(whole.Low), Rounded(whole.High), null, whole.Count);

    private MetricPoint Counter(DateTimeOffset at, Rollup whole, TimedRollup? before, DateTime first, DateTime last)
    {
        var growth = whole.Total + (before is { } known ? Rollup.Growth(known.Value.High, whole.Low) : 0);
        var span = (End(last) - (before is { } from ? End(from.At) : first)).TotalSeconds;
        return span > 0
            ? new MetricPoint(at, Rounded((double)growth / span), null, null, Rounded((double)growth), whole.Count)
            : new MetricPoint(at, null, Count: whole.Count);
    }

    private DateTime End(DateTime bucket) => bucket + grid.Bucket < now ? bucket + grid.Bucket : now;

    // What is beyond says nothing any more.
    private double Rounded(double value) => Math.Round(metric.Unscale(value), metric.Decimals + 3);
}
