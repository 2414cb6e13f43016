using ManagedServers.Engine;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <param name="Commands">The post-commands' steps: journalled by now, so that the host may forget them.</param>
/// <param name="Configurations">Those that stay on the host: the current one and the one before it.</param>
public sealed record RecordInput(Guid ServerId, Guid ConfigurationId, IReadOnlyList<CatalogueImage> Images, IReadOnlyList<int> Commands, IReadOnlyList<string> Configurations);

/// <summary>The install has proven itself: writes it down, and lets go of what was kept for an undo.</summary>
public sealed class RecordInstalled(Servers.Servers servers) : Step<RecordInstalled, RecordInput, Nothing>
{
    public override async Task<Nothing> Run(RecordInput input, StepContext step)
    {
        await servers.SetInstalled(input.ServerId, input.ConfigurationId,
            [.. input.Images.Select(i => new InstalledComponent(i.Component, i.Version, i.Image))], step.Cancellation);
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        foreach (var image in input.Images)
        {
            await ContainerSwitch.Settle(host, image.Component, step.Cancellation);
        }

        await SwitchConfiguration.Settle(host, input.Configurations, step);
        await InstallAgent.Settle(host, step.Cancellation);
        await RunCommand.Forget(host, input.Commands, step);
        return Nothing.Value;
    }
}
