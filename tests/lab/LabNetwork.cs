using System.Net;
using Docker.DotNet;
using Docker.DotNet.Models;
using static ManagedServers.Lab.LabDocker;

namespace ManagedServers.Lab;

/// <summary>One bridge with a subnet of its own for each segment of an owner, and one for each inner network; there as long as one of the owner's hosts is.</summary>
internal sealed record LabNetwork(string Id, string Subnet)
{
    private const string NameLabel = "managed-servers.lab.network";
    private const int Subnets = 256;

    public string Gateway => Address(1);

    /// <summary>An address stays with its host through reboots, so it is chosen here and not by Docker.</summary>
    public string FreeAddress(IEnumerable<string> taken) =>
        Enumerable.Range(2, 250).Select(Address).Except(taken).FirstOrDefault()
        ?? throw new InvalidOperationException($"All addresses of {Subnet} are taken.");

    public NetworkingConfig With(string address) => new()
    {
        EndpointsConfig = new Dictionary<string, EndpointSettings> { [Id] = new() { IPAMConfig = new EndpointIPAMConfig { IPv4Address = address } } },
    };

    /// <param name="owner">Whose.</param>
    /// <param name="name">Of the segment, or of the inner network.</param>
    /// <param name="inner">This machine is not in it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<LabNetwork> Of(LabOwner owner, string name, bool inner, CancellationToken cancellationToken)
    {
        var all = await Client.Networks.ListNetworksAsync(new NetworksListParameters { Filters = Filter(owner) }, cancellationToken);
        if (all.FirstOrDefault(n => n.Labels[NameLabel] == Label(name, inner)) is { } known)
            return new LabNetwork(known.ID, known.IPAM.Config[0].Subnet);

        var first = (int)((uint)owner.ProcessId % Subnets);
        for (var i = 0; i < Subnets; i++)
        {
            // A range that neither Docker nor common office and home networks use by default.
            var subnet = $"10.213.{(first + i) % Subnets}.0/24";
            try
            {
                return await Create(owner, subnet, name, inner, cancellationToken);
            }
            catch (DockerApiException e) when (e.Message.Contains("overlaps", StringComparison.OrdinalIgnoreCase))
            {
                // Somebody else's: the next one.
            }
        }

        throw new InvalidOperationException("No subnet of 10.213.0.0/16 is free for the lab.");
    }

    public static async Task RemoveIfEmpty(LabOwner owner, CancellationToken cancellationToken)
    {
        if ((await Hosts(owner, cancellationToken)).Count > 0)
            return;
        foreach (var network in await Client.Networks.ListNetworksAsync(new NetworksListParameters { Filters = Filter(owner) }, cancellationToken))
            await Client.Networks.DeleteNetworkAsync(network.ID, cancellationToken);
    }

    private static async Task<LabNetwork> Create(LabOwner owner, string subnet, string name, bool inner, CancellationToken cancellationToken)
    {
        var created = await Client.Networks.CreateNetworkAsync(new NetworksCreateParameters
        {
            Name = $"managed-servers-lab-{owner.ProcessId}-{owner.StartTime}{Label(name, inner)}",
            Driver = "bridge",
            IPAM = new IPAM { Config = [new IPAMConfig { Subnet = subnet }] },
            Labels = new Dictionary<string, string>(Labels(owner)) { [NameLabel] = Label(name, inner) },
            // The bridge gets no address of this machine's.
            Options = !inner ? [] : new Dictionary<string, string> { ["com.docker.network.bridge.inhibit_ipv4"] = "true" },
        }, cancellationToken);
        return new LabNetwork(created.ID, subnet);
    }

    private static string Label(string name, bool inner) => name.Length == 0 ? "" : $"-{(inner ? "inner" : "segment")}-{name}";

    private string Address(int number)
    {
        var bytes = IPAddress.Parse(Subnet.Split('/')[0]).GetAddressBytes();
        bytes[3] = (byte)number;
        return new IPAddress(bytes).ToString();
    }
}
