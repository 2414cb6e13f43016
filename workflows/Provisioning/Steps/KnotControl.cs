using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <summary>Speaks to the running Knot through its control socket, inside its container.</summary>
internal static class KnotControl
{
    public static Task<CommandResult> Ask(IHost host, string command, CancellationToken cancellationToken) =>
        host.Run(["docker", "exec", Component.ContainerName(Component.Dns), "/usr/sbin/knotc", "-s", KnotConfiguration.ControlSocket, command], cancellationToken: cancellationToken);

    public static async Task ReloadIfRunning(IHost host, CancellationToken cancellationToken)
    {
        if (await host.Docker.FindContainer(Component.ContainerName(Component.Dns), cancellationToken) is { IsRunning: true })
        {
            (await Ask(host, "reload", cancellationToken)).Check();
        }
    }
}
