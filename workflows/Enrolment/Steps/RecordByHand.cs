using ManagedServers.Engine;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Enrolment.Steps;

public sealed record RecordByHandInput(Guid ServerId, InstallInput Install);

/// <summary>Writes down what the host has proven to have.</summary>
public sealed class RecordByHand(Servers.Servers servers) : Step<RecordByHand, RecordByHandInput, Nothing>
{
    public override async Task<Nothing> Run(RecordByHandInput input, StepContext step)
    {
        await servers.SetInstalled(input.ServerId,
            [.. input.Install.Images.Select(i => (new InstalledComponent(i.Component, i.Version, i.Image), i.Component switch
            {
                Component.Dns => input.Install.Dns?.ConfigurationId,
                Component.Dhcp => input.Install.Dhcp?.ConfigurationId,
                _ => null,
            }))], step.Cancellation);
        return Nothing.Value;
    }
}
