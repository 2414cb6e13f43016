using ManagedServers.Engine;
using ManagedServers.Workflows.Pull;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record RecordUninstalledInput(Guid ServerId);

/// <summary>The server stays registered, with nothing on it.</summary>
public sealed class RecordUninstalled(Servers.Servers servers, PulledServers pulled) : Step<RecordUninstalled, RecordUninstalledInput, Nothing>, IPreviewable<RecordUninstalledInput, Nothing>
{
    public override async Task<Nothing> Run(RecordUninstalledInput input, StepContext step)
    {
        await pulled.End(input.ServerId, step.Cancellation);
        await servers.SetUninstalled(input.ServerId, step.Cancellation);
        return Nothing.Value;
    }

    public Task<Preview<Nothing>> Preview(RecordUninstalledInput input, CancellationToken cancellationToken) => Task.FromResult(Preview<Nothing>.Nothing(Nothing.Value));
}
