using ManagedServers.Engine;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Provisioning.Steps;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Enrolment.Steps;

public sealed record RecordByHandInput(Guid ServerId, InstallInput Install);

/// <summary>Writes down what the host has proven to have.</summary>
public sealed class RecordByHand(Servers.Servers servers, Configurations configurations, HostOrders orders) : Step<RecordByHand, RecordByHandInput, Nothing>
{
    public override async Task<Nothing> Run(RecordByHandInput input, StepContext step)
    {
        var install = input.Install;
        var ordered = await orders.Ordered(step.RunId, step.Cancellation);
        await servers.SetInstalled(input.ServerId,
            [.. install.Images.Select(i => new InstalledComponent(i.Component, i.Version, i.Image, i.Digest) { Specification = ordered[i.Component].Specification })], step.Cancellation);
        await servers.SetStatistics(input.ServerId, install.Statistics, step.Cancellation);
        await configurations.SetApplied(input.ServerId,
            [.. new[] { (Component.Dns, install.Dns?.ConfigurationId), (Component.Dhcp, install.Dhcp?.ConfigurationId) }
                .Where(c => c.Item2 is not null).Select(c => new InstalledConfiguration(c.Item1, c.Item2!.Value, [ordered[c.Item1].Configuration!]))], step.Cancellation);
        return Nothing.Value;
    }
}
