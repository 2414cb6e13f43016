using System.Net;
using System.Net.Sockets;

namespace ManagedServers.Workflows.Alerts;

/// <summary>
/// Where a webhook may lead. Administrators alone name one, and receivers commonly stand in the same private network; what is never a receiver, and often gives secrets
/// to whoever asks from this machine, is refused: the link-local addresses, where clouds keep the credentials of their machines. Looked at when the connection is made, on the
/// address that is connected to: a name may lead elsewhere from one moment to the next.
/// </summary>
internal static class WebhookTarget
{
    private static readonly IPAddress CloudCredentials = IPAddress.Parse("fd00:ec2::254");

    /// <returns>Why not; null where it may.</returns>
    public static string? Forbidden(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        var first = plain.GetAddressBytes();
        var (linkLocal, nobodys) = plain.AddressFamily == AddressFamily.InterNetwork
            ? (first is [169, 254, ..], first[0] is 0 or >= 224)
            : (plain.IsIPv6LinkLocal || plain.Equals(CloudCredentials), plain.IsIPv6Multicast || plain.Equals(IPAddress.IPv6Any));
        return linkLocal ? $"leads to {plain}, an address where clouds keep credentials" : nobodys ? $"leads to {plain}, which is no address of a receiver" : null;
    }

    /// <summary>For a handler: connects to the first address of the name that answers.</summary>
    /// <exception cref="DeliveryException">None of them may be connected to.</exception>
    public static async ValueTask<Stream> Connect(DnsEndPoint target, CancellationToken cancellationToken)
    {
        var addresses = await Dns.GetHostAddressesAsync(target.Host, cancellationToken);
        var allowed = addresses.Where(a => Forbidden(a) is null).ToArray();
        if (allowed.Length == 0)
        {
            throw new DeliveryException(addresses.Length == 0 ? $"{target.Host} has no address." : $"{target.Host} {Forbidden(addresses[0])}.", isFinal: addresses.Length > 0);
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, target.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
