using System.Text;
using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record MonitorInput(Guid ServerId, CatalogueImage Image, Uri ApiAddress, IReadOnlyList<string> Zones);

/// <summary>The monitor's container, running with its current settings.</summary>
public sealed class StartMonitor(Servers.Servers servers, PayloadFiles payload) : Step<StartMonitor, MonitorInput, RunningContainer>, IUndoable<MonitorInput, RunningContainer>
{
    public override async Task<RunningContainer> Run(MonitorInput input, StepContext step)
    {
        var token = step.Cancellation;
        await using var host = await servers.Connect(input.ServerId, token);
        var written = await host.WriteFile($"{HostLayout.Monitor}/ca.pem", Encoding.UTF8.GetBytes(payload.AuthorityPem), HostLayout.PrivateFile, token);
        written |= await host.WriteFile($"{HostLayout.Monitor}/config.json",
            await payload.MonitorConfiguration(input.ServerId, input.ApiAddress, input.Zones, token), HostLayout.PrivateFile, token);
        var container = await ContainerSwitch.Ensure(host, Component.Monitor, ContainerSpecification.Monitor(input.Image, step.IdempotencyKey), step);

        // After an interruption nobody knows whether the container has read the file that is there now.
        if ((written || step.WasInterrupted) && !container.Created)
        {
            await host.Docker.Restart(container.Id, cancellationToken: token);
            step.Changed("restarted the monitor with new settings");
        }

        return container;
    }

    public async Task Undo(MonitorInput input, RunningContainer? made, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        await ContainerSwitch.Undo(host, Component.Monitor, step);
    }
}
