using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record RecordAppliedInput(Guid ServerId, IReadOnlyList<InstalledConfiguration> Configurations);

/// <summary>The new configurations have proven themselves: writes them down, and lets go of what was kept for an undo.</summary>
public sealed class RecordApplied(Servers.Servers servers, Configurations configurations) : Step<RecordApplied, RecordAppliedInput, Nothing>, IPreviewable<RecordAppliedInput, Nothing>
{
    public override async Task<Nothing> Run(RecordAppliedInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        List<InstalledConfiguration> applied = [];
        foreach (var configuration in input.Configurations)
        {
            applied.Add(configuration with { Specification = await ContainerSwitch.Specification(host, configuration.Component, step.Cancellation) });
        }

        await configurations.SetApplied(input.ServerId, applied, step.Cancellation);
        foreach (var configuration in input.Configurations)
        {
            await ContainerSwitch.Settle(host, configuration.Component, step.Cancellation);
            await CurrentConfiguration.Keep(host, configuration.Component, configuration.Kept, step.Cancellation);
        }

        return Nothing.Value;
    }

    public Task<Preview<Nothing>> Preview(RecordAppliedInput input, CancellationToken cancellationToken) => Task.FromResult(Preview<Nothing>.Nothing(Nothing.Value));
}
