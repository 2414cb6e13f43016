using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record ComponentInput(Guid ServerId, string Component);

/// <param name="Changed">It was not so before.</param>
public sealed record ComponentDone(bool Changed);

/// <summary>A component's container, running.</summary>
public sealed class StartComponent(Servers.Servers servers) : Step<StartComponent, ComponentInput, ComponentDone>, IUndoable<ComponentInput, ComponentDone>, IPreviewable<ComponentInput, ComponentDone>
{
    public override async Task<ComponentDone> Run(ComponentInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var container = await ContainerSwitch.Find(host, input.Component, step.Cancellation);
        var changed = await host.Docker.KeepRunning(container.Name, step.Cancellation);
        if (input.Component == Component.Monitor)
        {
            await StartMonitor.AwaitListening(host, step);
        }

        await servers.SetStopped(input.ServerId, input.Component, null, step.Cancellation);
        if (changed)
        {
            step.Changed($"started {container.Name}");
        }
        else
        {
            step.Unchanged($"{container.Name} runs already");
        }

        return new ComponentDone(changed);
    }

    public async Task<Preview<ComponentDone>> Preview(ComponentInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        var container = await ContainerSwitch.Find(host, input.Component, cancellationToken);
        return container.IsRunning ? Preview<ComponentDone>.Nothing(new ComponentDone(false))
            : Preview<ComponentDone>.Of(new ComponentDone(true), ContainerSwitch.Container(ChangeKind.Start, container.Name, $"it is {container.State} now"));
    }

    public async Task Undo(ComponentInput input, ComponentDone? made, StepContext step)
    {
        if (made is { Changed: true })
        {
            await using var host = await servers.Connect(input.ServerId, step.Cancellation);
            await host.Docker.KeepStopped(Component.ContainerName(input.Component), step.Cancellation);
            await servers.SetStopped(input.ServerId, input.Component, step.RunId, step.Cancellation);
            step.Changed($"stopped {Component.ContainerName(input.Component)} again");
        }
    }
}
