using System.Net;
using System.Net.Sockets;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>The product's address as hosts reach it.</summary>
/// <param name="configured">For servers that name no other; null where the operator gave none.</param>
/// <param name="port">Where this process listens.</param>
public sealed class ReportAddress(Uri? configured, int port)
{
    /// <summary>The server's own, or the configured one, or the address from which this machine reaches the host or the first jump host before it. Whether the host reaches it, preflight proves.</summary>
    /// <exception cref="ServerConflictException">There is nothing from which to tell.</exception>
    public async Task<Uri> For(Server server, CancellationToken cancellationToken = default)
    {
        if (server.ApiAddress is { } own)
        {
            return new Uri(own);
        }

        var dialled = server.FirstHop ?? server.Address;
        if (configured is null && dialled is null)
        {
            throw new ServerConflictException("no-api-address", $"Nobody has said where the host of {server.Name} reaches the product, and the product knows no address of that host from which to tell. "
                + $"Say it: msctl servers edit {server.Argument} --api-address https://… (or --address HOST), or for all servers with managed-servers serve --api-address https://…");
        }

        return configured ?? new UriBuilder("https", await LocalAddress(dialled!, cancellationToken) ?? Environment.MachineName, port).Uri;
    }

    private static async Task<string?> LocalAddress(string host, CancellationToken cancellationToken)
    {
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(host, cancellationToken);
            // Sends nothing: the kernel chooses the way, and with it the address.
            using var socket = new Socket(addresses[0].AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(addresses[0], 9);
            return (socket.LocalEndPoint as IPEndPoint)?.Address.ToString();
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
