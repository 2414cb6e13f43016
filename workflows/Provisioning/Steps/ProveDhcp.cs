using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record ProveDhcpInput(Guid ServerId);

/// <summary>Asks the running Kea whether it runs with the current configuration, and whether it hears its interfaces. No client of the product's stands in the networks that it serves.</summary>
public sealed class ProveDhcp(Servers.Servers servers) : Step<ProveDhcp, ProveDhcpInput, Nothing>, IPreviewable<ProveDhcpInput, Nothing>
{
    // Twice what an operator may give: it is written with indents.
    private const int LargestFile = 16 * 1024 * 1024;

    public override async Task<Nothing> Run(ProveDhcpInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var file = $"{HostLayout.Of(host).Config(Component.Dhcp)}/{KeaConfiguration.FileName}";
        var wanted = await host.ReadFile(file, LargestFile, step.Cancellation) is { } text ? KeaConfiguration.MarkIn(JsonSerializer.Deserialize<JsonElement>(text)) : null;
        if (wanted is null)
        {
            throw new StepRejectedException($"{file} on {host.Target} is not what the product has written: somebody has changed it. Install dhcp again, which writes it anew.");
        }

        var mark = KeaConfiguration.MarkIn(await ComponentControl.Kea(host, "config-get", step.Cancellation));
        if (mark != wanted)
        {
            throw new InvalidOperationException($"Kea on {host.Target} runs with {(mark is null ? "a configuration that the product has not written" : $"configuration {mark}")} and not with {wanted}, the current one.");
        }

        var sockets = (await ComponentControl.Kea(host, "status-get", step.Cancellation)).GetProperty("sockets");
        if (sockets.GetProperty("status").GetString() is var status && status != "ready")
        {
            var errors = sockets.TryGetProperty("errors", out var list) ? string.Join("; ", list.EnumerateArray().Select(e => e.GetString())) : status;
            throw new InvalidOperationException($"Kea on {host.Target} does not hear all of its interfaces: {errors}. Look at interfaces-config in its configuration, and at the interfaces of the host (ip address).");
        }

        step.Log($"Kea runs with configuration {mark} and hears its interfaces.");
        return Nothing.Value;
    }

    public Task<Preview<Nothing>> Preview(ProveDhcpInput input, CancellationToken cancellationToken) => Task.FromResult(Preview<Nothing>.Nothing(Nothing.Value));
}
