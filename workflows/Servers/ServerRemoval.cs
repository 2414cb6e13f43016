using ManagedServers.Engine;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Provisioning;

namespace ManagedServers.Workflows.Servers;

/// <summary>Forgets a server: its registration, its credentials, its token and what was measured of it. The host itself is not touched.</summary>
public sealed class ServerRemoval(Servers servers, Configurations configurations, MonitoringData monitoring, IRuns runs)
{
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    /// <exception cref="ServerConflictException">A run holds it, or components are installed and <paramref name="force"/> is not given.</exception>
    public async Task<PreparedChange<Nothing>> Remove(string idOrName, bool force, CancellationToken cancellationToken = default)
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

        var changes = StoredChange.Of([
            new("server", $"{server.Name} ({server.Address ?? "by hand"}), with its login, its token, its history and the commands chosen for it", null),
            .. server.Components.Select(c => c.Name).Where(Component.Serving.Contains).Select(c => new StoredChange($"configuration of {c}", "all versions", null)),
            new("measurements", "all of them", null)]);
        return new PreparedChange<Nothing>($"remove the server {server.Name}", changes, async ct =>
        {
            await servers.Delete(server.Id, transaction => monitoring.Forget(server.Id, transaction, ct), ct);
            return Nothing.Value;
        })
        { Servers = [server.Name], Notes = await Notes(server, cancellationToken) };
    }

    private async Task<IReadOnlyList<string>> Notes(Server server, CancellationToken cancellationToken)
    {
        var stays = await servers.KeyThatStays(server.Id, cancellationToken);
        List<string> notes = stays is null ? [] : [stays];
        if (server.Components.Count == 0)
        {
            return notes;
        }

        notes.Add($"{string.Join(" and ", server.Components.Select(c => c.Name))} on {server.Name} would go on, without anybody watching. To take them away first: msctl servers uninstall {server.Argument}");
        if (await configurations.ZonesWithKeys(server.Id, cancellationToken) is { Count: > 0 } signed)
        {
            notes.Add($"The DNSSEC keys of {string.Join(", ", signed.Take(20))}{(signed.Count > 20 ? $" and {signed.Count - 20} more" : "")} lie on its host and nowhere else. With the host they are gone, and a DS record at the parent zone matches no key any more: "
                + "take it away there before, and wait for its TTL.");
        }

        return notes;
    }
}
