using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record InstalledInput(Guid ServerId, IReadOnlyList<string> Components);

/// <summary>A run that waited behind an uninstall has nothing to do any more, and holds nobody up.</summary>
public sealed class CheckInstalled(Servers.Servers servers) : CheckStep<CheckInstalled, InstalledInput>
{
    protected override async Task Check(InstalledInput input, CancellationToken cancellationToken)
    {
        var server = await servers.Get(input.ServerId.ToString(), cancellationToken);
        if (input.Components.FirstOrDefault(c => server.Components.All(i => i.Name != c)) is { } gone)
        {
            throw new StepRejectedException($"{gone} is not installed on {server.Name} any more: it was uninstalled while this run waited. Nothing was done.");
        }
    }
}
