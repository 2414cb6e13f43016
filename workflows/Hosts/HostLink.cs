using System.Collections.Concurrent;
using ManagedServers.Workflows.Hosts.Docker;
using ManagedServers.Workflows.Hosts.Ssh;

namespace ManagedServers.Workflows.Hosts;

/// <summary>What the leases of one host share: the SSH connection, the way that it takes, and the Docker clients that live on it.</summary>
internal sealed class HostLink(SshConnection connection, HostWay way) : IAsyncDisposable
{
    // One for each name as well: a host that is a server and a hop of a route is told of by the name of who asks.
    private readonly ConcurrentDictionary<(string Host, bool AsRoot), Lazy<DockerTransport>> docker = new();

    public SshConnection Connection => connection;

    public HostWay Way => way;

    public DockerTransport DockerFor(HostTarget target) =>
        docker.GetOrAdd((target.ToString(), target.Login.Kind == LoginKind.Sudo), _ => new Lazy<DockerTransport>(() => new DockerTransport(connection, target))).Value;

    public async ValueTask DisposeAsync()
    {
        foreach (var used in docker.Values)
        {
            used.Value.Dispose();
        }

        await connection.DisposeAsync();
        await way.DisposeAsync();
    }
}

/// <summary>The use of a link by one who works on the host, given back once.</summary>
/// <param name="target">The host as that one calls it.</param>
internal sealed class HostLease(HostLink link, HostTarget target, Func<ValueTask> giveBack) : IAsyncDisposable
{
    private int disposed;

    public HostLink Link => link;

    public HostTarget Target => target;

    public ValueTask DisposeAsync() => Interlocked.Exchange(ref disposed, 1) == 0 ? giveBack() : ValueTask.CompletedTask;
}
