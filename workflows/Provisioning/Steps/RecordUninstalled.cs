using ManagedServers.Engine;
using ManagedServers.Workflows.Pull;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record RecordUninstalledInput(Guid ServerId);

/// <summary>The server stays registered, with nothing on it.</summary>
public sealed class RecordUninstalled(Servers.Servers servers, Configurations configurations, PulledServers pulled) : Step<RecordUninstalled, RecordUninstalledInput, Nothing>, IPreviewable<RecordUninstalledInput, Nothing>
{
    // A line of the log has 4 KiB at most, and a name up to 253 bytes.
    private const int NamesInALine = 15;

    public override async Task<Nothing> Run(RecordUninstalledInput input, StepContext step)
    {
        foreach (var zones in (await configurations.ZonesWithKeys(input.ServerId, step.Cancellation)).Chunk(NamesInALine))
        {
            step.Log($"With it went the DNSSEC keys of {string.Join(", ", zones)}: they were nowhere else. A DS record at the parent zone matches no key any more.", LogLevel.Warning);
        }

        if (await servers.KeyThatStays(input.ServerId, step.Cancellation) is { } stays)
        {
            step.Log(stays, LogLevel.Warning);
        }

        await pulled.End(input.ServerId, step.Cancellation);
        await servers.SetUninstalled(input.ServerId, step.Cancellation);
        return Nothing.Value;
    }

    public async Task<Preview<Nothing>> Preview(RecordUninstalledInput input, CancellationToken cancellationToken) =>
        Preview<Nothing>.Nothing(Nothing.Value, await servers.KeyThatStays(input.ServerId, cancellationToken));
}
