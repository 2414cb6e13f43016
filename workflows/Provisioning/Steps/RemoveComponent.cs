using ManagedServers.Engine;
using ManagedServers.Workflows.Pull;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <summary>No container of the component any more, neither the current one nor one that was kept for an undo.</summary>
public sealed class RemoveComponent(Servers.Servers servers, LastPull last) : Step<RemoveComponent, ComponentInput, Nothing>, IPreviewable<ComponentInput, Nothing>
{
    public override async Task<Nothing> Run(ComponentInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        if (input.Component == Component.Monitor)
        {
            await last.OfMonitor(input.ServerId, step);
        }

        if (await ContainerSwitch.Remove(host, input.Component, step.Cancellation))
        {
            step.Changed($"removed {Component.ContainerName(input.Component)}");
        }
        else
        {
            step.Unchanged($"there is no {Component.ContainerName(input.Component)}");
        }

        return Nothing.Value;
    }

    public async Task<Preview<Nothing>> Preview(ComponentInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        return await host.Docker.FindContainer(Component.ContainerName(input.Component), cancellationToken) is not { } found ? Preview<Nothing>.Nothing(Nothing.Value)
            : Preview<Nothing>.Of(Nothing.Value, ContainerSwitch.Container(ChangeKind.Remove, found.Name, found.IsRunning ? "it is stopped first" : $"it is {found.State}"));
    }
}
