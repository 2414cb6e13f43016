using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>Which components; all that are installed when null.</summary>
public sealed record ComponentsRequest(IReadOnlyList<string>? Components = null);

/// <summary>Starts the runs that start, stop and restart what is installed on a server, or take it away.</summary>
public sealed class Lifecycle(Servers.Servers servers, ImageCatalogue images, IRuns runs)
{
    // In this order they are started.
    private static readonly string[] Order = [Component.Monitor, Component.Dns];

    /// <exception cref="InvalidInputException">A component is not installed; nothing was started.</exception>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    /// <exception cref="ServerConflictException">Nothing is installed on it.</exception>
    public Task<StartedRun> Start(string idOrName, ComponentsRequest request, string who, string? idempotencyKey, CancellationToken cancellationToken = default) =>
        Begin<StartWorkflow>("start", idOrName, request, who, idempotencyKey, cancellationToken);

    /// <inheritdoc cref="Start"/>
    public Task<StartedRun> Stop(string idOrName, ComponentsRequest request, string who, string? idempotencyKey, CancellationToken cancellationToken = default) =>
        Begin<StopWorkflow>("stop", idOrName, request, who, idempotencyKey, cancellationToken);

    /// <inheritdoc cref="Start"/>
    public Task<StartedRun> Restart(string idOrName, ComponentsRequest request, string who, string? idempotencyKey, CancellationToken cancellationToken = default) =>
        Begin<RestartWorkflow>("restart", idOrName, request, who, idempotencyKey, cancellationToken);

    /// <summary>Takes away whatever installs have put on the host, also what one that was cancelled half-way has left.</summary>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    /// <exception cref="ServerConflictException">Nothing was ever installed on it.</exception>
    public async Task<StartedRun> Uninstall(string idOrName, string who, string? idempotencyKey, CancellationToken cancellationToken = default)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        if (server.Components.Count == 0 && server.LastRunId is null)
        {
            throw new ServerConflictException("nothing-installed", $"Nothing was ever installed on {server.Name}.");
        }

        // All that there may be, not what was recorded: an install that was cancelled half-way has recorded nothing.
        var input = new UninstallInput(server.Id, server.Name, [.. Order.Reverse()], [.. Order.Select(c => images.Get(c).Repository)]);
        return await runs.Start<UninstallWorkflow, UninstallInput>(
            input, RunAbout.Server(server, "uninstall", who, idempotencyKey), (transaction, run) => Servers.Servers.SetLastRun(transaction, server.Id, run), cancellationToken);
    }

    private async Task<StartedRun> Begin<TWorkflow>(string kind, string idOrName, ComponentsRequest request, string who, string? idempotencyKey, CancellationToken cancellationToken)
        where TWorkflow : IWorkflow<ComponentsInput>
    {
        var server = await Installed(idOrName, cancellationToken);
        var installed = server.Components.Select(c => c.Name).ToList();
        var asked = request.Components ?? installed;
        if (asked.Count == 0 || asked.Any(c => !installed.Contains(c)))
        {
            throw new InvalidInputException("components", $"must be a list of what is installed on {server.Name}: {string.Join(", ", installed)}");
        }

        var dns = await servers.InstalledConfiguration(server.Id, Component.Dns, cancellationToken) is { } document
            ? JsonSerializer.Deserialize<DnsConfiguration>(document, EngineJson.Options) : null;
        var input = new ComponentsInput(server.Id, server.Name, [.. Order.Where(asked.Contains)], [.. dns?.Zones.Select(z => z.Name!) ?? []], dns?.Listen ?? []);
        return await runs.Start<TWorkflow, ComponentsInput>(
            input, RunAbout.Server(server, kind, who, idempotencyKey), (transaction, run) => Servers.Servers.SetLastRun(transaction, server.Id, run), cancellationToken);
    }

    private async Task<Server> Installed(string idOrName, CancellationToken cancellationToken)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        return server.Components.Count > 0 ? server : throw new ServerConflictException("nothing-installed", $"Nothing is installed on {server.Name}. Install something first.");
    }
}
