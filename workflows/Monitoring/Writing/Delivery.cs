namespace ManagedServers.Workflows.Monitoring;

/// <summary>One checked report on its way to the database.</summary>
internal sealed class Delivery
{
    public const string Agent = "agent";
    public const string Monitor = "monitor";

    public required Guid ServerId { get; init; }

    /// <summary><see cref="Agent"/> or <see cref="Monitor"/>.</summary>
    public required string Kind { get; init; }
    public required byte[] Epoch { get; init; }
    public required SenderClock Clock { get; init; }
    public IReadOnlyList<HeartbeatRow> Beats { get; init; } = [];
    public IReadOnlyList<SampleRow> Samples { get; init; } = [];

    /// <summary>Completed after the commit.</summary>
    public TaskCompletionSource<Accepted> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Records => Beats.Count + Samples.Count;

    /// <summary>What it costs to keep and to write.</summary>
    public int Weight => Beats.Count + Samples.Sum(s => 1 + (s.Sample.Names?.Count ?? 0) + (s.Sample.Dhcp?.Subnets?.Count ?? 0));

    public Source Source => new(ServerId, Kind, new Guid(Epoch));
}

/// <summary>A spool on a host.</summary>
internal readonly record struct Source(Guid ServerId, string Kind, Guid Epoch) : IComparable<Source>
{
    public int CompareTo(Source other) =>
        ServerId.CompareTo(other.ServerId) is not 0 and var servers ? servers : string.CompareOrdinal(Kind, other.Kind) is not 0 and var kinds ? kinds : Epoch.CompareTo(other.Epoch);
}

/// <param name="At">When it was made, in our clock.</param>
internal sealed record HeartbeatRow(Heartbeat Beat, DateTimeOffset At, bool Late);

/// <param name="From">In our clock.</param>
/// <param name="To">In our clock.</param>
internal sealed record SampleRow(DnsSample Sample, DateTimeOffset From, DateTimeOffset To)
{
    /// <summary>The minute that its counts belong to.</summary>
    public DateTimeOffset Minute => new(From.UtcTicks - From.UtcTicks % TimeSpan.TicksPerMinute, TimeSpan.Zero);
}
