using Docker.DotNet.Models;

namespace ManagedServers.Lab.Tests;

/// <summary>Counts hosts, disks and networks of an owner in this machine's Docker engine.</summary>
internal static class LabThings
{
    public static async Task<int> CountOf(LabOwner owner)
    {
        var filter = LabDocker.Filter(owner);
        var hosts = await LabDocker.Hosts(owner, default);
        var networks = await LabDocker.Client.Networks.ListNetworksAsync(new NetworksListParameters { Filters = filter });
        var volumes = await LabDocker.Client.Volumes.ListAsync(new VolumesListParameters { Filters = filter });
        return hosts.Count + networks.Count + (volumes.Volumes?.Count ?? 0);
    }
}
