using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record RecordAppliedInput(Guid ServerId, IReadOnlyList<InstalledConfiguration> Configurations);

/// <summary>The new configurations have proven themselves: writes them down, and lets go of what was kept for an undo.</summary>
public sealed class RecordApplied(Servers.Servers servers, Configurations configurations) : Step<RecordApplied, RecordAppliedInput, Nothing>
{
    public override async Task<Nothing> Run(RecordAppliedInput input, StepContext step)
    {
        await configurations.SetApplied(input.ServerId, input.Configurations, step.Cancellation);
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        foreach (var configuration in input.Configurations)
        {
            await ContainerSwitch.Settle(host, configuration.Component, step.Cancellation);
            await CurrentConfiguration.Keep(host, configuration.Component, configuration.Kept, step.Cancellation);
        }

        return Nothing.Value;
    }
}
