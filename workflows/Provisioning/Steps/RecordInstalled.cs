using ManagedServers.Engine;
using ManagedServers.Workflows.Pull;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record RecordInput(Guid ServerId, IReadOnlyList<CatalogueImage> Images, IReadOnlyList<InstalledConfiguration> Configurations, StatisticsWay Statistics = StatisticsWay.Https);

/// <param name="Kept">Digests of those that stay on the host: the current one and the one before it.</param>
/// <param name="Specification">Of the container that serves it; null while it is not made anew.</param>
public sealed record InstalledConfiguration(string Component, Guid Id, IReadOnlyList<string> Kept, string? Specification = null);

/// <summary>The install has proven itself: writes it down, and lets go of what was kept for an undo.</summary>
public sealed class RecordInstalled(Servers.Servers servers, Configurations configurations, PulledServers pulled) : Step<RecordInstalled, RecordInput, Nothing>, IPreviewable<RecordInput, Nothing>
{
    public override async Task<Nothing> Run(RecordInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        List<InstalledComponent> installed = [];
        foreach (var image in input.Images)
        {
            installed.Add(new InstalledComponent(image.Component, image.Version, image.Image, image.Digest) { Specification = await ContainerSwitch.Specification(host, image.Component, step.Cancellation) });
        }

        await servers.SetInstalled(input.ServerId, installed, step.Cancellation);
        await servers.SetStatistics(input.ServerId, input.Statistics, step.Cancellation);
        if (input.Statistics != StatisticsWay.Pull)
        {
            await pulled.End(input.ServerId, step.Cancellation);
        }

        await configurations.SetApplied(input.ServerId, input.Configurations, step.Cancellation);
        foreach (var image in input.Images)
        {
            await ContainerSwitch.Settle(host, image.Component, step.Cancellation);
        }

        foreach (var configuration in input.Configurations)
        {
            await CurrentConfiguration.Keep(host, configuration.Component, configuration.Kept, step.Cancellation);
        }

        await InstallAgent.Settle(host, step.Cancellation);
        return Nothing.Value;
    }

    /// <summary>It tidies up on the host what only this run's own undo would need.</summary>
    public Task<Preview<Nothing>> Preview(RecordInput input, CancellationToken cancellationToken) => Task.FromResult(Preview<Nothing>.Nothing(Nothing.Value));
}
