using System.Net;
using Docker.DotNet;
using Docker.DotNet.Models;
using static ManagedServers.Lab.LabDocker;

namespace ManagedServers.Lab;

/// <summary>Removes hosts by id, and what processes left behind that were killed before they could.</summary>
public static class LabLeftovers
{
    /// <summary>Removes everything of the lab whose owner is gone, and nothing else. Safe while others do the same.</summary>
    public static async Task Remove(CancellationToken cancellationToken = default)
    {
        foreach (var host in await Hosts(null, cancellationToken))
        {
            if (IsLeft(host.Labels))
                await Clearing(() => RemoveHost(host.ID, cancellationToken));
        }

        var networks = new NetworksListParameters { Filters = Filter() };
        foreach (var network in await Client.Networks.ListNetworksAsync(networks, cancellationToken))
        {
            if (IsLeft(network.Labels))
                await Clearing(() => Client.Networks.DeleteNetworkAsync(network.ID, cancellationToken));
        }

        var volumes = await Client.Volumes.ListAsync(new VolumesListParameters { Filters = Filter() }, cancellationToken);
        foreach (var volume in volumes.Volumes ?? [])
        {
            if (IsLeft(volume.Labels))
                await Clearing(() => Client.Volumes.RemoveAsync(volume.Name, force: true, cancellationToken));
        }
    }

    /// <summary>As <see cref="Remove"/>, and everything of this process too, which may have ended already.</summary>
    public static async Task RemoveAllOf(int ownerProcess, CancellationToken cancellationToken = default)
    {
        if (LabOwner.IfAlive(ownerProcess) is { } owner)
        {
            foreach (var host in await Hosts(owner, cancellationToken))
                await RemoveHost(host.ID, cancellationToken);
        }

        await Remove(cancellationToken);
    }

    /// <summary>Removes a host by its container's id, with its disk and, when it was its owner's last host, the network.</summary>
    public static async Task RemoveHost(string id, CancellationToken cancellationToken = default)
    {
        try
        {
            var container = await Client.Containers.InspectContainerAsync(id, cancellationToken);
            var owner = LabOwner.Parse(container.Config?.Labels?[OwnerLabel]);
            using var gate = owner is null ? null : await LabGate.Enter(owner, cancellationToken);
            await RemoveContainer(container, cancellationToken);
            if (owner is not null)
                await LabNetwork.RemoveIfEmpty(owner, cancellationToken);
        }
        catch (DockerContainerNotFoundException)
        {
            // Removed before.
        }
    }

    private static async Task RemoveContainer(ContainerInspectResponse container, CancellationToken cancellationToken)
    {
        await Removing(() => Client.Containers.RemoveContainerAsync(
            container.ID, new ContainerRemoveParameters { Force = true, RemoveVolumes = true }, cancellationToken));
        foreach (var volume in container.Mounts?.Where(mount => mount.Type == "volume") ?? [])
            await Removing(() => Client.Volumes.RemoveAsync(volume.Name!, force: true, cancellationToken));
    }

    private static bool IsLeft(IDictionary<string, string> labels) =>
        LabOwner.Parse(labels[OwnerLabel]) is { IsGone: true };

    /// <summary>Already gone, or being removed by another process at this moment, is what was asked for.</summary>
    private static async Task Removing(Func<Task> remove)
    {
        try
        {
            await remove();
        }
        catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.NotFound
            || (e.StatusCode == HttpStatusCode.Conflict && e.Message.Contains("already in progress", StringComparison.Ordinal)))
        {
        }
    }

    /// <summary>Of another's leftovers, what is still in use now is cleared by whoever is at it, or the next time.</summary>
    private static async Task Clearing(Func<Task> remove)
    {
        try
        {
            await Removing(remove);
        }
        catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.Forbidden)
        {
        }
    }
}
