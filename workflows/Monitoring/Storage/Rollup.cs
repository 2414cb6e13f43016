namespace ManagedServers.Workflows.Monitoring;

/// <summary>The values of one metric in a stretch of time. Those of two stretches make that of both, and nothing is rounded.</summary>
/// <param name="Count">Values; never 0.</param>
/// <param name="Low">Of a gauge the least, of a counter the first.</param>
/// <param name="High">Of a gauge the greatest, of a counter the last.</param>
/// <param name="Total">Of a gauge the sum, of a counter the growth from the first to the last.</param>
internal readonly record struct Rollup(long Count, long Low, long High, Int128 Total)
{
    public static Rollup Of(MetricKind kind, long value) => new(1, value, value, kind == MetricKind.Gauge ? value : 0);

    /// <summary>With what comes after it in time.</summary>
    public Rollup Then(MetricKind kind, Rollup later) => kind switch
    {
        MetricKind.Gauge => new Rollup(Count + later.Count, Math.Min(Low, later.Low), Math.Max(High, later.High), Total + later.Total),
        _ => new Rollup(Count + later.Count, Low, later.High, Total + Growth(High, later.Low) + later.Total),
    };

    /// <summary>A counter that is less than before was started anew, from nothing.</summary>
    public static Int128 Growth(long before, long after) => after >= before ? (Int128)after - before : after;
}
