using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <summary>No container of the component any more, neither the current one nor one that was kept for an undo.</summary>
public sealed class RemoveComponent(Servers.Servers servers) : Step<RemoveComponent, ComponentInput, Nothing>
{
    public override async Task<Nothing> Run(ComponentInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
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
}
