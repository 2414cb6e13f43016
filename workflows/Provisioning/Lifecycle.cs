using ManagedServers.Engine;
using ManagedServers.Workflows.Enrolment;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>Which components; all that are installed when null.</summary>
public sealed record ComponentsRequest(IReadOnlyList<string>? Components = null);

/// <summary>Starts the runs that start, stop and restart what is installed on a server, or take it away.</summary>
public sealed class Lifecycle(Servers.Servers servers, ImageCatalogue images, Configurations configurations, IRuns runs)
{
    /// <exception cref="InvalidInputException">A component is not installed; nothing was started.</exception>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    /// <exception cref="ServerConflictException">Nothing is installed on it.</exception>
    public Task<StartedRun> Start(string idOrName, ComponentsRequest request, string who, string? idempotencyKey, CancellationToken cancellationToken = default) =>
        Begin<StartWorkflow>(idOrName, request, who, idempotencyKey, cancellationToken);

    /// <inheritdoc cref="Start"/>
    public Task<StartedRun> Stop(string idOrName, ComponentsRequest request, string who, string? idempotencyKey, CancellationToken cancellationToken = default) =>
        Begin<StopWorkflow>(idOrName, request, who, idempotencyKey, cancellationToken);

    /// <inheritdoc cref="Start"/>
    public Task<StartedRun> Restart(string idOrName, ComponentsRequest request, string who, string? idempotencyKey, CancellationToken cancellationToken = default) =>
        Begin<RestartWorkflow>(idOrName, request, who, idempotencyKey, cancellationToken);

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
        var input = new UninstallInput(server.Id, server.Name, [.. Component.All.Reverse()], [.. Component.All.Select(images.Find).OfType<CatalogueImage>().Select(i => i.Repository)]);
        return await (server.Installation == InstallationType.Manual
            ? runs.StartAbout<ManualUninstallWorkflow, UninstallInput>(server, input, who, idempotencyKey, null, cancellationToken)
            : runs.StartAbout<UninstallWorkflow, UninstallInput>(server, input, who, idempotencyKey, null, cancellationToken));
    }

    private async Task<StartedRun> Begin<TWorkflow>(string idOrName, ComponentsRequest request, string who, string? idempotencyKey, CancellationToken cancellationToken)
        where TWorkflow : IWorkflow<ComponentsInput>
    {
        var server = await servers.Get(idOrName, cancellationToken);
        if (server.Components.Count == 0)
        {
            throw new ServerConflictException("nothing-installed", $"Nothing is installed on {server.Name}. Install something first.");
        }

        var installed = server.Components.Select(c => c.Name).ToList();
        var asked = request.Components ?? installed;
        if (asked.Count == 0 || asked.Any(c => !installed.Contains(c)))
        {
            throw new InvalidInputException("components", $"must be a list of what is installed on {server.Name}: {string.Join(", ", installed)}");
        }

        var dns = asked.Contains(Component.Dns) ? await configurations.Current(server.Id, Component.Dns, cancellationToken) : null;
        var input = new ComponentsInput(server.Id, server.Name, [.. Component.All.Where(asked.Contains)], dns?.Version.Id);
        return await runs.StartAbout<TWorkflow, ComponentsInput>(server, input, who, idempotencyKey, null, cancellationToken);
    }
}
