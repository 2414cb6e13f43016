using ManagedServers.Workflows.Hosts.Docker;
using ManagedServers.Workflows.Hosts.Ssh;

namespace ManagedServers.Workflows.Hosts;

/// <summary>What the leases of one host share: the SSH connection and the Docker client that lives on it.</summary>
internal sealed class HostLink(SshConnection connection) : IAsyncDisposable
{
    private readonly Lazy<DockerTransport> docker = new(() => new DockerTransport(connection));

    public SshConnection Connection => connection;

    public DockerTransport Docker => docker.Value;

    public async ValueTask DisposeAsync()
    {
        if (docker.IsValueCreated)
        {
            docker.Value.Dispose();
        }

        await connection.DisposeAsync();
    }
}
