using ManagedServers.Workflows.Configuration;

namespace ManagedServers.Workflows.Drift;

/// <summary>In what way a host is not as it was asked to be.</summary>
public enum DriftKind
{
    /// <summary>The container is gone.</summary>
    Container,

    /// <summary>It is of another image.</summary>
    Image,

    /// <summary>It was made with other settings.</summary>
    Specification,

    /// <summary>It should run and does not.</summary>
    Stopped,

    /// <summary>An operator has stopped it, and it runs.</summary>
    Running,

    /// <summary>A file of the configuration was changed, added or removed.</summary>
    File,

    /// <summary>Another configuration is the current one.</summary>
    Current,

    /// <summary>What is served is not what the files say.</summary>
    Served,
}

/// <summary>One thing on a host that is not as it was asked for.</summary>
/// <param name="Subject">A file, a zone, a container.</param>
/// <param name="What">In words, with what was found and what is needed.</param>
public sealed record DriftFinding(string Component, DriftKind Kind, string Subject, string What)
{
    /// <summary>Since when it was found, without a break.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>It can become what is wanted; otherwise it can only be put back.</summary>
    public bool CanBeAccepted { get; init; } = Kind is DriftKind.Current || (Kind is DriftKind.File && Subject is not (KnotConfiguration.FileName or KnotConfiguration.KeyFile));
}

/// <summary>What the last look at a host has found.</summary>
/// <param name="CheckedAt">Null when nobody has looked yet.</param>
/// <param name="Problem">Why the host could not be looked at; what is found beside it is from before.</param>
public sealed record ServerDrift(Guid ServerId, string Server, DateTimeOffset? CheckedAt, string? Problem, IReadOnlyList<DriftFinding> Findings);
