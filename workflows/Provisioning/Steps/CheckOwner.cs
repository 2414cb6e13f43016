using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record OwnerInput(Guid ServerId);

/// <summary>A host that another server has taken over since is left alone.</summary>
public sealed class CheckOwner(Servers.Servers servers) : Step<CheckOwner, OwnerInput, Nothing>
{
    public override async Task<Nothing> Run(OwnerInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        if (await host.ReadFile(HostLayout.Of(host).AgentConfiguration, cancellationToken: step.Cancellation) is { } configuration
            && InstallAgent.OwnerIn(configuration) is { ServerId: { } owner } found && owner != input.ServerId.ToString())
        {
            throw new StepRejectedException($"{host.Target} is managed as server {owner} of the product at {found.Api} now. Nothing was removed: uninstall it there, and remove this server here.");
        }

        return Nothing.Value;
    }
}
