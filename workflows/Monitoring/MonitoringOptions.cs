namespace ManagedServers.Workflows.Monitoring;

/// <summary>Bounds that are the product's own; what operators set is in <see cref="CurrentMonitoring"/>.</summary>
public sealed record MonitoringOptions
{
    /// <summary>How late a beat may be and still count for the bar.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How old beats are packed: they take a tenth of the room then. An hour is packed as a whole.</summary>
    public TimeSpan PackedAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>What waited longer in a spool is refused. Shorter than everything kept, so that nothing lands in a day that was cleaned up.</summary>
    public TimeSpan OldestAccepted { get; init; } = TimeSpan.FromDays(8);

    /// <summary>Records waiting for the writer, at most; a name or a beat weighs one. About 200 MB at worst.</summary>
    public int QueueLimit { get; init; } = 400_000;

    /// <summary>Records in one transaction.</summary>
    public int BatchLimit { get; init; } = 50_000;
}
