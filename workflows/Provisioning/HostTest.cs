using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Provisioning.Steps;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>Which components; all that are installed when null.</summary>
public sealed record ComponentsRequest(IReadOnlyList<string>? Components = null);

/// <summary>Connects to a host and looks at all that an install would need. Changes nothing.</summary>
public sealed class HostTest(Servers.Servers servers, IHosts hosts, Configurations configurations, Preflight preflight, ReportAddress reportAddress)
{
    /// <param name="request">For which components; what is installed, or DNS with its monitor, if none is named.</param>
    /// <exception cref="InvalidInputException">There is no such component.</exception>
    /// <exception cref="Servers.ServerNotFoundException">There is no such server.</exception>
    public async Task<IReadOnlyList<Check>> Run(string idOrName, ComponentsRequest request, CancellationToken cancellationToken = default)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        var components = request.Components ?? (server.Components.Count > 0 ? [.. server.Components.Select(c => c.Name)] : [Component.Dns, Component.Monitor]);
        if (components.Count == 0 || components.Any(c => !Component.All.Contains(c)))
        {
            throw new InvalidInputException("components", $"must be a list of {string.Join(", ", Component.All)}");
        }

        await hosts.ProveWay(await servers.Target(server.Id, cancellationToken), cancellationToken);

        // Where it listens is looked at as it was last asked for, so that a host in service is not told that its own DNS is in the way.
        var listen = (await configurations.InstalledDns(server.Id, cancellationToken))?.Listen ?? [new ListenRequest("0.0.0.0")];
        return await preflight.Checks(new PreflightInput(server.Id, components, listen, await reportAddress.For(server, cancellationToken), server.Statistics), cancellationToken);
    }
}
