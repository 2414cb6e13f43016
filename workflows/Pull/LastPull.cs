using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Monitoring;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Pull;

/// <summary>What waits on a host that is being uninstalled is fetched before it is taken away. Where that cannot be, it is lost, and said.</summary>
public sealed class LastPull(PulledServers pulled, StatisticsPull pull)
{
    internal Task OfMonitor(Guid serverId, StepContext step) => Fetch(serverId, pull.ReadLastOfMonitor, "monitor", step);

    internal Task OfAgent(Guid serverId, StepContext step) => Fetch(serverId, pull.ReadLastOfAgent, "agent", step);

    private async Task Fetch(Guid serverId, Func<PulledServer, CancellationToken, Task<PullOutcome>> read, string who, StepContext step)
    {
        if (await pulled.Find(serverId, step.Cancellation) is not { } server)
        {
            return;
        }

        try
        {
            var outcome = await read(server, step.Cancellation);
            step.Log($"Fetched what the {who} still had: {outcome.Records} new records.{(outcome.Dropped is { } dropped ? $" {dropped}" : "")}", outcome.Dropped is null ? LogLevel.Information : LogLevel.Warning);
        }
        catch (Exception e) when (e is IHostProblem or PullRefusedException or IngestionBusyException)
        {
            step.Log($"What the {who} still had could not be fetched, and goes with it: {e.Message}", LogLevel.Warning);
        }
    }
}
