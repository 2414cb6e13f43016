using System.Security.Cryptography;
using Docker.DotNet.Models;
using static ManagedServers.Lab.LabDocker;

namespace ManagedServers.Lab;

/// <summary>A machine on the hosts' network that wants an address: it has dhclient and perfdhcp, and nothing to manage.</summary>
public sealed class LabClient : IAsyncDisposable
{
    private readonly string id;

    private LabClient(string id) => this.id = id;

    /// <param name="options">Whose network; the same as for the hosts that it is to meet.</param>
    public static async Task<LabClient> Start(LabOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new LabOptions();
        var client = new LabClient(await Create(options.Owner, options.Segment, cancellationToken));
        try
        {
            await Client.Containers.StartContainerAsync(client.id, new ContainerStartParameters(), cancellationToken);
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks for a lease as a machine with this hardware address that has never had one, and returns dhclient's record of it.</summary>
    public async Task<string> Lease(string hardwareAddress, CancellationToken cancellationToken = default)
    {
        var output = await Run(
            $"""
            [ ! -e /tmp/dhclient.pid ] || kill $(cat /tmp/dhclient.pid)
            : > /tmp/leases
            ip link set eth0 address {hardwareAddress} && dhclient -4 -1 -v -sf /usr/bin/true -lf /tmp/leases -pf /tmp/dhclient.pid eth0 && cat /tmp/leases
            """, cancellationToken);
        return output.ExitCode == 0 ? output.Text : throw new InvalidOperationException($"No lease: {output.Text}{output.Errors}");
    }

    /// <summary>Runs a shell script inside.</summary>
    public Task<LabOutput> Run(string script, CancellationToken cancellationToken = default) => LabExec.Run(id, ["sh", "-c", script], cancellationToken);

    public async ValueTask DisposeAsync() => await LabLeftovers.RemoveHost(id);

    private static async Task<string> Create(LabOwner owner, string segment, CancellationToken cancellationToken)
    {
        using var gate = await LabGate.Enter(owner, cancellationToken);
        var network = await LabNetwork.Of(owner, segment, false, cancellationToken);
        var address = network.FreeAddress(await LabContainer.Addresses(owner, cancellationToken));
        var created = await Client.Containers.CreateContainerAsync(new CreateContainerParameters
        {
            Name = $"managed-servers-lab-client-{RandomNumberGenerator.GetHexString(8, lowercase: true)}",
            Image = LabImages.Name("dhcp-client"),
            Labels = LabContainer.Labels(owner, address),
            HostConfig = new HostConfig { CapAdd = ["NET_ADMIN"], NetworkMode = network.Id, Init = true },
            NetworkingConfig = network.With(address),
        }, cancellationToken);
        return created.ID;
    }
}
