namespace ManagedServers.Engine;

/// <summary>Who this process is among the nodes. The incarnation tells it from an earlier process of the same name.</summary>
internal sealed class NodeIdentity(EngineOptions options)
{
    public string Name => options.NodeName;

    public Guid Incarnation { get; } = Guid.NewGuid();

    /// <summary>True from the begin of a graceful stop: nothing new is claimed, and runs are given back at the next boundary of a step.</summary>
    public bool Stopping { get; set; }
}
