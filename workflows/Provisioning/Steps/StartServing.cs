using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <param name="Listen">Of DNS.</param>
public sealed record ServingInput(Guid ServerId, CatalogueImage Image, IReadOnlyList<ListenRequest> Listen, bool ConfigurationChanged);

/// <summary>The container of a component that serves, running with the current configuration.</summary>
public sealed class StartServing(Servers.Servers servers) : Step<StartServing, ServingInput, RunningContainer>, IUndoable<ServingInput, RunningContainer>
{
    public override async Task<RunningContainer> Run(ServingInput input, StepContext step)
    {
        var component = input.Image.Component;
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var layout = HostLayout.Of(host);
        var container = await ContainerSwitch.Ensure(host, component, component == Component.Dhcp
            ? ContainerSpecification.Dhcp(layout, input.Image, step.IdempotencyKey) : ContainerSpecification.Dns(layout, input.Image, step.IdempotencyKey, input.Listen), step);
        if (input.ConfigurationChanged && !container.Created)
        {
            await ComponentControl.Reload(host, component, step.Cancellation);
            step.Changed("reloaded with the new configuration");
        }

        return container;
    }

    public async Task Undo(ServingInput input, RunningContainer? made, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        await ContainerSwitch.Undo(host, input.Image.Component, step);
    }
}
