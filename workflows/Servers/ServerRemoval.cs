using ManagedServers.Engine;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Servers;

/// <summary>Forgets a server: its registration, its credentials, its token and what was measured of it. The host itself is not touched.</summary>
public sealed class ServerRemoval(Servers servers, MonitoringData monitoring, IRuns runs)
{
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    /// <exception cref="ServerConflictException">A run holds it, or components are installed and <paramref name="force"/> is not given.</exception>
    public async Task Remove(string idOrName, bool force, CancellationToken cancellationToken = default)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        var active = await runs.List(
            new RunFilter { Subject = server.Subject, States = [RunState.Queued, RunState.Running, RunState.Waiting, RunState.Paused], Limit = 1 }, cancellationToken);
        if (active.Count > 0)
        {
            throw new ServerConflictException("run-active",
                $"{server.Name} cannot be removed while the run {active[0].Id} ({active[0].Title}) is {active[0].State.ToString().ToLowerInvariant()}. Wait for its end or cancel it.");
        }

        if (server.Components.Count > 0 && !force)
        {
            throw new ServerConflictException("components-installed",
                $"{server.Name} still has {string.Join(" and ", server.Components.Select(c => c.Name))} installed, which would go on serving without anybody watching. Remove it with force if that is meant.");
        }

        await servers.Delete(server.Id, transaction => monitoring.Forget(server.Id, transaction, cancellationToken), cancellationToken);
    }
}
