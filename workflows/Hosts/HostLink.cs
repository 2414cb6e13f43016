using ManagedServers.Workflows.Hosts.Docker;
using ManagedServers.Workflows.Hosts.Ssh;

namespace ManagedServers.Workflows.Hosts;

/// <summary>What the leases of one host share: the SSH connection, the way that it takes, and the Docker client that lives on it.</summary>
internal sealed class HostLink(SshConnection connection, HostWay way) : IAsyncDisposable
{
    private readonly Lazy<DockerTransport> docker = new(() => new DockerTransport(connection));

    public SshConnection Connection => connection;

    public HostWay Way => way;

    public DockerTransport Docker => docker.Value;

    public async ValueTask DisposeAsync()
    {
        if (docker.IsValueCreated)
        {
            docker.Value.Dispose();
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
