namespace ManagedServers.Workflows.Monitoring;

public enum HitSort { Count, Total, Last, Name }

/// <summary>Which hits. Zone, name and type match whole words in any case, with or without a final dot; <c>*</c> stands for anything.</summary>
public sealed record HitsQuery
{
    /// <summary>Default: 24 hours before <see cref="To"/>. Counted in whole minutes.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Default: now.</summary>
    public DateTimeOffset? To { get; init; }
    public string? Zone { get; init; }
    public string? Name { get; init; }

    /// <summary>One that the monitor knows by name, or <c>TYPE</c> and a number.</summary>
    public string? Type { get; init; }
    public HitSort Sort { get; init; } = HitSort.Count;

    /// <summary>1 to 1000.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>The <see cref="HitsPage.Next"/> of the page before.</summary>
    public string? After { get; init; }
}

/// <summary>How much of what was asked is in the table.</summary>
/// <param name="Named">Queries seen with their name in the period.</param>
/// <param name="Queries">Queries by the server's own counters in the period; never fewer than <paramref name="Named"/>.</param>
/// <param name="Other">Of <paramref name="Named"/>, those without a row of their own: other zones, or names beyond <see cref="MonitoringOptions.NamesPerServer"/>. With the rows' counts they add up to <paramref name="Named"/>.</param>
/// <param name="Share">Named by queries, 0 to 1; null without queries.</param>
/// <param name="Connected">The collector hears Knot, by a sample of the last minutes.</param>
public sealed record HitsCoverage(long Named, long Queries, long Other, double? Share, bool Connected, DateTimeOffset? LastSampleAt);

/// <param name="Count">In the period.</param>
/// <param name="Total">Ever.</param>
public sealed record Hit(string Zone, string Name, string Type, long Count, long Total, DateTimeOffset LastAccess);

public sealed record HitsPage(DateTimeOffset From, DateTimeOffset To, HitsCoverage Coverage, IReadOnlyList<Hit> Items, string? Next);
