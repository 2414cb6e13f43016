using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <summary>A component's container, stopped: Docker starts it again only when it is told to.</summary>
public sealed class StopComponent(Servers.Servers servers) : Step<StopComponent, ComponentInput, ComponentDone>, IUndoable<ComponentInput, ComponentDone>, IPreviewable<ComponentInput, ComponentDone>
{
    public override async Task<ComponentDone> Run(ComponentInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var container = await ContainerSwitch.Find(host, input.Component, step.Cancellation);
        var changed = await host.Docker.KeepStopped(container.Name, step.Cancellation);
        await servers.SetStopped(input.ServerId, input.Component, step.RunId, step.Cancellation);
        if (changed)
        {
            step.Changed($"stopped {container.Name}");
        }
        else
        {
            step.Unchanged($"{container.Name} is stopped already");
        }

        return new ComponentDone(changed);
    }

    public async Task<Preview<ComponentDone>> Preview(ComponentInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        var container = await ContainerSwitch.Find(host, input.Component, cancellationToken);
        return container.IsRunning || container.IsPaused || container.State == "restarting"
            ? Preview<ComponentDone>.Of(new ComponentDone(true), ContainerSwitch.Container(ChangeKind.Stop, container.Name, "until it is started again, over reboots too"))
            : Preview<ComponentDone>.Nothing(new ComponentDone(false));
    }

    public async Task Undo(ComponentInput input, ComponentDone? made, StepContext step)
    {
        // Cancelled in the middle, nobody knows whether it ran before; one that an operator wanted stopped stays so only if it was found so.
        if (made is not { Changed: false })
        {
            await using var host = await servers.Connect(input.ServerId, step.Cancellation);
            await host.Docker.KeepRunning(Component.ContainerName(input.Component), step.Cancellation);
            await servers.SetStopped(input.ServerId, input.Component, null, step.Cancellation);
            step.Changed($"started {Component.ContainerName(input.Component)} again");
        }
    }
}
