using System.Text.Json.Serialization;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Which values, over which time, how finely.</summary>
public sealed record MetricsQuery
{
    /// <summary>Names of the catalogue, as in <c>load.1</c>, or of one of several, as in <c>disk.used{/var}</c>. None: all that the server has.</summary>
    public IReadOnlyList<string> Metrics { get; init; } = [];

    /// <summary>Default: 24 hours before <see cref="To"/>.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Default: now.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>
    /// Into how many values the time is cut, 1 to 10,000. There may be fewer, as none is finer than what is kept of that time, and one more, as steps begin
    /// at whole multiples of their length.
    /// </summary>
    public int Points { get; init; } = 300;
}

/// <param name="Resolution">What the values were worked out from: beat, minute, hour or day.</param>
/// <param name="StepSeconds">From one value to the next; of single beats, which come when they come, the least.</param>
public sealed record MetricsAnswer(DateTimeOffset From, DateTimeOffset To, string Resolution, double StepSeconds, IReadOnlyList<MetricSeries> Series);

/// <param name="Label">As in the mount of <c>disk.used{/var}</c>; null where there is one of it on a server.</param>
public sealed record MetricSeries(string Metric, string? Label, string Unit, MetricKind Kind, IReadOnlyList<MetricPoint> Points)
{
    /// <summary>Both in one, as in <c>disk.used{/var}</c>.</summary>
    [JsonIgnore]
    public string Name => Label is null ? Metric : $"{Metric}{{{Label}}}";
}

/// <summary>One value of a metric. Where nothing was measured there is none: null, not zero.</summary>
/// <param name="At">When its stretch of time begins.</param>
/// <param name="Value">Of a gauge the mean; of a counter its growth per second.</param>
/// <param name="Min">Of a gauge.</param>
/// <param name="Max">Of a gauge.</param>
/// <param name="Increase">Of a counter: since the value before, over a pause too, so that all of them add up to its whole growth.</param>
/// <param name="Count">How often it was measured.</param>
public sealed record MetricPoint(
    DateTimeOffset At, double? Value,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Min = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Max = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Increase = null,
    long Count = 0);
