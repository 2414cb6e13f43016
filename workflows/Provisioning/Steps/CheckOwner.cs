using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record OwnerInput(Guid ServerId);

/// <summary>A host that another server has taken over since is left alone.</summary>
public sealed class CheckOwner(Servers.Servers servers) : CheckStep<CheckOwner, OwnerInput>
{
    protected override async Task Check(OwnerInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        if (await host.ReadFile(HostLayout.Of(host).AgentConfiguration, cancellationToken: cancellationToken) is { } configuration
            && InstallAgent.OwnerIn(configuration) is { ServerId: { } owner } found && owner != input.ServerId.ToString())
        {
            throw new StepRejectedException($"{host.Target} is managed as server {owner} of the product at {found.Api} now. Nothing was done there: uninstall it from there, and remove this server here.");
        }
    }
}
