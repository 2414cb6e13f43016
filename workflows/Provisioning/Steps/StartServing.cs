using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <param name="Listen">Of DNS.</param>
public sealed record ServingInput(Guid ServerId, CatalogueImage Image, Guid ConfigurationId, IReadOnlyList<ListenRequest> Listen, bool ConfigurationChanged);

/// <summary>The container of a component that serves, running with the current configuration.</summary>
public sealed class StartServing(Servers.Servers servers, Configurations configurations, TimeProvider time) : Step<StartServing, ServingInput, RunningContainer>, IUndoable<ServingInput, RunningContainer>, IPreviewable<ServingInput, RunningContainer>
{
    public override async Task<RunningContainer> Run(ServingInput input, StepContext step)
    {
        var component = input.Image.Component;
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var container = await ContainerSwitch.Ensure(host, component, Specification(host, input, step.IdempotencyKey), step);
        if (!input.ConfigurationChanged && !container.Created)
        {
            return container;
        }

        var wanted = (await configurations.Get(input.ConfigurationId, step.Cancellation)).Dns;
        var before = wanted is null ? null : (await configurations.Current(input.ServerId, component, step.Cancellation))?.Configuration.Dns;
        if (!container.Created)
        {
            await ComponentControl.Reload(host, component, before, wanted, step.Cancellation);
            step.Changed("reloaded with the new configuration");
        }

        await SecondaryZones.Fetch(host, SecondaryZones.ToFetch(wanted, before), step, time);
        return container;
    }

    public async Task<Preview<RunningContainer>> Preview(ServingInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        var (container, change) = await ContainerSwitch.Foresee(host, input.Image.Component, Specification(host, input, ""), cancellationToken);
        change ??= input.ConfigurationChanged ? ContainerSwitch.Container(ChangeKind.Reload, Component.ContainerName(input.Image.Component), "it goes on serving meanwhile") : null;
        return Preview<RunningContainer>.Of(container, change is null ? [] : [change]);
    }

    private static (System.Text.Json.JsonElement Json, string Digest) Specification(IHost host, ServingInput input, string idempotencyKey) => input.Image.Component == Component.Dhcp
        ? ContainerSpecification.Dhcp(HostLayout.Of(host), input.Image, idempotencyKey) : ContainerSpecification.Dns(HostLayout.Of(host), input.Image, idempotencyKey, input.Listen);

    public async Task Undo(ServingInput input, RunningContainer? made, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        await ContainerSwitch.Undo(host, input.Image.Component, step);
    }
}
