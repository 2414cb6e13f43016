using ManagedServers.Workflows.Hosts.Docker;
using ManagedServers.Workflows.Hosts.Ssh;

namespace ManagedServers.Workflows.Hosts;

/// <summary>What the leases of one host share: the SSH connection, the way that it takes, and the Docker clients that live on it.</summary>
internal sealed class HostLink(SshConnection connection, HostWay way) : IAsyncDisposable
{
    private readonly Lazy<DockerTransport> docker = new(() => new DockerTransport(connection, asRoot: false));
    private readonly Lazy<DockerTransport> dockerAsRoot = new(() => new DockerTransport(connection, asRoot: true));

    public SshConnection Connection => connection;

    public HostWay Way => way;

    public DockerTransport DockerAs(HostLogin login) => login.Kind == LoginKind.Sudo ? dockerAsRoot.Value : docker.Value;

    public async ValueTask DisposeAsync()
    {
        foreach (var used in new[] { docker, dockerAsRoot }.Where(d => d.IsValueCreated))
        {
            used.Value.Dispose();
        }

        await connection.DisposeAsync();
        await way.DisposeAsync();
    }
}

/// <summary>The use of a link by one who works on the host, given back once.</summary>
internal sealed class HostLease(HostLink link, Func<ValueTask> giveBack) : IAsyncDisposable
{
    private int disposed;

    public HostLink Link => link;

    public ValueTask DisposeAsync() => Interlocked.Exchange(ref disposed, 1) == 0 ? giveBack() : ValueTask.CompletedTask;
}
