namespace ManagedServers.Cli.Client;

/// <summary>Which values to list.</summary>
public sealed record MetricFilter
{
    /// <summary>Which metrics; all when empty.</summary>
    public IReadOnlyList<string> Metrics { get; init; } = [];

    /// <summary>Start of the period; the product's default when null.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>End of the period; now when null.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Into how many values it is cut; the product's default when null.</summary>
    public int? Points { get; init; }
}

/// <summary>What was measured on a server.</summary>
public sealed record MetricValues
{
    /// <summary>Start of the period.</summary>
    public DateTimeOffset From { get; init; }

    /// <summary>End of the period.</summary>
    public DateTimeOffset To { get; init; }

    /// <summary>From one value to the next.</summary>
    public double StepSeconds { get; init; }

    /// <summary>One for each metric.</summary>
    public required IReadOnlyList<MetricLine> Series { get; init; }
}

/// <summary>One metric over time.</summary>
public sealed record MetricLine
{
    /// <summary>Its name in the product's catalogue.</summary>
    public required string Metric { get; init; }

    /// <summary>What tells several of it apart, as a mount.</summary>
    public string? Label { get; init; }

    /// <summary><c>bytes</c>, <c>seconds</c>, <c>share</c> or nothing.</summary>
    public string? Unit { get; init; }

    /// <summary><c>gauge</c> or <c>counter</c>.</summary>
    public string? Kind { get; init; }

    /// <summary>Its values in the order of their times.</summary>
    public required IReadOnlyList<MetricValue> Points { get; init; }

    /// <summary>Metric and label in one.</summary>
    public string Name => Label is null ? Metric : $"{Metric}{{{Label}}}";
}

/// <summary>One value.</summary>
/// <param name="At">When its stretch of time begins.</param>
/// <param name="Value">Mean, or growth per second; null where nothing was measured.</param>
/// <param name="Min">Least.</param>
/// <param name="Max">Greatest.</param>
public sealed record MetricValue(DateTimeOffset At, double? Value, double? Min, double? Max);
