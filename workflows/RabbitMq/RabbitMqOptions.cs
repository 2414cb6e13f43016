namespace ManagedServers.Workflows.RabbitMq;

/// <summary>Bounds and pauses of a node's way to the broker.</summary>
public sealed record RabbitMqOptions
{
    /// <summary>This process among several on one database.</summary>
    public string Node { get; init; } = Environment.MachineName;

    /// <summary>How soon changed settings are noticed, and how often a node says that it is there.</summary>
    public TimeSpan Turn { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Messages that a node holds without having acknowledged them. With two nodes, fewer than the holes that a spool's mark may have.</summary>
    public ushort Prefetch { get; init; } = 32;

    /// <summary>Before a broker that failed is tried again; doubled from try to try.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan LongestRetry { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A message that could not be stored just now is held so long before it is given back to the queue; doubled while nothing is stored.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(60);
}
