namespace ManagedServers.Workflows.Alerts;

/// <summary>How a server does, as its ways to the product tell it together. The first that holds, from the bottom up.</summary>
public enum HealthState
{
    Healthy,

    /// <summary>Nobody counts what DNS is asked.</summary>
    CollectorSilent,

    /// <summary>Some of the heartbeats do not come.</summary>
    Degraded,

    /// <summary>Two agents beat as this server: a host was copied, or a token is used elsewhere.</summary>
    TwoAgents,

    /// <summary>A component does not run, and no operator has stopped it.</summary>
    ComponentDown,

    /// <summary>The agent beats, and says that Docker does not run or does not answer.</summary>
    DockerDead,

    /// <summary>Nothing is heard.</summary>
    Unreachable,

    /// <summary>No heartbeats, but DNS statistics: the host lives and serves.</summary>
    AgentSilent,
}
