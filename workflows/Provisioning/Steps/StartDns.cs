using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record DnsInput(Guid ServerId, CatalogueImage Image, IReadOnlyList<ListenRequest> Listen, bool ConfigurationChanged);

/// <summary>Knot's container, running with the current configuration.</summary>
public sealed class StartDns(Servers.Servers servers) : Step<StartDns, DnsInput, RunningContainer>, IUndoable<DnsInput, RunningContainer>
{
    public override async Task<RunningContainer> Run(DnsInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var container = await ContainerSwitch.Ensure(host, Component.Dns, ContainerSpecification.Dns(input.Image, step.IdempotencyKey, input.Listen), step);
        if (input.ConfigurationChanged && !container.Created)
        {
            (await KnotControl.Ask(host, "reload", step.Cancellation)).Check();
            step.Changed("reloaded Knot with the new configuration");
        }

        return container;
    }

    public async Task Undo(DnsInput input, RunningContainer? made, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        await ContainerSwitch.Undo(host, Component.Dns, step);
    }
}
