using ManagedServers.Engine;
using ManagedServers.Workflows.Enrolment;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>Which components; all that are installed when null.</summary>
public sealed record ComponentsRequest(IReadOnlyList<string>? Components = null);

/// <summary>Prepares the runs that start, stop and restart what is installed on a server, or take it away.</summary>
public sealed class Lifecycle(Servers.Servers servers, ImageCatalogue images, Configurations configurations, PreparedRuns runs)
{
    /// <exception cref="InvalidInputException">A component is not installed.</exception>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    /// <exception cref="ServerConflictException">Nothing is installed on it.</exception>
    public Task<PreparedRun> Start(string idOrName, ComponentsRequest request, CancellationToken cancellationToken = default) => Prepare<StartWorkflow>(idOrName, request, cancellationToken);

    /// <inheritdoc cref="Start"/>
    public Task<PreparedRun> Stop(string idOrName, ComponentsRequest request, CancellationToken cancellationToken = default) => Prepare<StopWorkflow>(idOrName, request, cancellationToken);

    /// <inheritdoc cref="Start"/>
    public Task<PreparedRun> Restart(string idOrName, ComponentsRequest request, CancellationToken cancellationToken = default) => Prepare<RestartWorkflow>(idOrName, request, cancellationToken);

    /// <summary>Takes away whatever installs have put on the host, also what one that was cancelled half-way has left.</summary>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    /// <exception cref="ServerConflictException">Nothing was ever installed on it.</exception>
    public async Task<PreparedRun> Uninstall(string idOrName, CancellationToken cancellationToken = default)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        if (server.Components.Count == 0 && server.LastRunId is null)
        {
            throw new ServerConflictException("nothing-installed", $"Nothing was ever installed on {server.Name}.");
        }

        // All that there may be, not what was recorded: an install that was cancelled half-way has recorded nothing.
        var input = new UninstallInput(server.Id, server.Name, [.. Component.All.Reverse()], [.. Component.All.Select(images.Find).OfType<CatalogueImage>().Select(i => i.Repository)]);
        var concern = new Concern(input.Components) { TakesAway = true };
        return server.Installation == InstallationType.Manual
            ? runs.Prepare<ManualUninstallWorkflow, UninstallInput>(server, input, concern)
            : runs.Prepare<UninstallWorkflow, UninstallInput>(server, input, concern);
    }

    private async Task<PreparedRun> Prepare<TWorkflow>(string idOrName, ComponentsRequest request, CancellationToken cancellationToken)
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
        return runs.Prepare<TWorkflow, ComponentsInput>(server, input, new Concern(input.Components));
    }
}
