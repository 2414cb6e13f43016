namespace ManagedServers.Workflows.Monitoring;

/// <summary>Makes the values of steps of one metric's buckets as they are read.</summary>
internal sealed class MetricPoints(Metric metric, MetricGrid grid, DateTime now)
{
    private readonly List<MetricPoint> points = [];
    private TimedRollup? before;
    private TimedRollup? last;
    private DateTime first;
    private Rollup whole;

    /// <summary>In the order of their times; from before the start too, because a counter's growth begins there.</summary>
    /// <returns>Whether a step begins with it.</returns>
    public bool Add(TimedRollup bucket)
    {
        var begins = last is not { } known || grid.StepOf(known.At) != grid.StepOf(bucket.At);
        if (begins)
        {
            EndStep();
            (before, first, whole) = (last, bucket.At, bucket.Value);
        }
        else
        {
            whole = whole.Then(metric.Kind, bucket.Value);
        }

        last = bucket;
        return begins;
    }

    public IReadOnlyList<MetricPoint> All()
    {
        EndStep();
        last = null;
        return points;
    }

    private void EndStep()
    {
        if (last is { } end && first >= grid.Start)
        {
            var at = new DateTimeOffset(grid.Level is null ? first : grid.StepOf(first));
            points.Add(metric.Kind == MetricKind.Gauge ? Gauge(at) : Counter(at, end.At));
        }
    }

    private MetricPoint Gauge(DateTimeOffset at) =>
        new(at, Rounded((double)whole.Total / whole.Count), Rounded(whole.Low), Rounded(whole.High), null, whole.Count);

    private MetricPoint Counter(DateTimeOffset at, DateTime end)
    {
        var growth = whole.Total + (before is { } known ? Rollup.Growth(known.Value.High, whole.Low) : 0);
        var span = (End(end) - (before is { } from ? End(from.At) : first)).TotalSeconds;
        return span > 0
            ? new MetricPoint(at, Rounded((double)growth / span), null, null, Rounded((double)growth), whole.Count)
            : new MetricPoint(at, null, Count: whole.Count);
    }

    private DateTime End(DateTime bucket) => bucket + grid.Bucket < now ? bucket + grid.Bucket : now;

    // What is beyond says nothing any more.
    private double Rounded(double value) => Math.Round(metric.Unscale(value), metric.Decimals + 3);
}
