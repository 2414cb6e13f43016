using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>What a run would do to a server, as it looks now. Nothing was executed for it, and nothing is kept.</summary>
public sealed record ChangePlan
{
    public required string Server { get; init; }
    public required string Kind { get; init; }
    public required string Title { get; init; }

    /// <summary>Something on the host would be different; null when not everything could be looked at, and nothing was found.</summary>
    public required bool? WouldChange { get; init; }

    /// <summary>How the run would fail, where that shows already.</summary>
    public string? WouldFail { get; init; }

    /// <summary>Why some or all of the steps were not looked at.</summary>
    public string? NotLookedAt { get; init; }

    /// <summary>In order, each with what it would change.</summary>
    public required IReadOnlyList<StepPlan> Steps { get; init; }

    /// <summary>Who would notice; empty when nobody is served differently or interrupted.</summary>
    public required IReadOnlyList<ServiceImpact> Affected { get; init; }

    /// <summary>Runs under way about the same server: this one would wait for them.</summary>
    public required IReadOnlyList<RunSummary> Ahead { get; init; }
}

/// <summary>What a run means for whom a component serves.</summary>
public sealed record ServiceImpact
{
    public required string Component { get; init; }
    public required ServiceInterruption Interruption { get; init; }

    /// <summary>Zones or subnets, now and after the run; those that are served differently first, at most 500.</summary>
    public required IReadOnlyList<ServedName> Served { get; init; }

    /// <summary>All of them.</summary>
    public required int Total { get; init; }

    /// <summary>Those that would be interrupted or gone, and that no other server of this product serves.</summary>
    public required IReadOnlyList<string> SoleServerFor { get; init; }

    /// <summary>Zones that are or were signed on the host, and whose DNSSEC keys would go: they are nowhere else. A DS record at the parent zone would match no key any more.</summary>
    public required IReadOnlyList<string> KeysLost { get; init; }
}

/// <param name="AlsoServedBy">Names of other servers of this product.</param>
public sealed record ServedName(string Name, ServedEffect Effect, IReadOnlyList<string> AlsoServedBy);

public enum ServedEffect
{
    Unchanged,
    Added,
    Changed,
    Removed,
}

/// <summary>How a component's service goes on.</summary>
public enum ServiceInterruption
{
    None,

    /// <summary>It reads its new configuration and goes on serving meanwhile.</summary>
    Reload,

    /// <summary>It does not serve now, and would.</summary>
    Start,

    /// <summary>It would not serve for a moment.</summary>
    Restart,

    /// <summary>It would serve no more.</summary>
    Stop,

    /// <summary>The host could not be looked at.</summary>
    Unknown,
}
