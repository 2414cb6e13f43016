using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ManagedServers.Workflows.Configuration;

/// <summary>Where a server listens: an address of the host, or all of them, and a port.</summary>
public sealed record ListenAddress
{
    private ListenAddress(IPAddress address, int port) => (Address, Port) = (address, port);

    public IPAddress Address { get; }

    public int Port { get; }

    /// <exception cref="InvalidInputException">Names <c>{field}.address</c> or <c>{field}.port</c> and the rule.</exception>
    public static ListenAddress Parse(string? address, int port, string field = "listen")
    {
        if (!TryAddress(address, out var parsed))
        {
            throw new InvalidInputException($"{field}.address", "Write an IP address of the host, as in 192.0.2.1 or 2001:db8::1; 0.0.0.0 or :: for all of them.");
        }

        return port is >= 1 and <= 65535
            ? new ListenAddress(parsed, port)
            : throw new InvalidInputException($"{field}.port", "A port is a number from 1 to 65535.");
    }

    /// <summary>As in <c>192.0.2.1@53</c>, Knot's way.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address}@{Port}");

    // IPAddress takes "1" and "0x7f.1" too, and scope ids: none is what an operator means.
    internal static bool TryAddress(string? text, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        return text is { Length: <= 45 } && !text.Contains('%') && IPAddress.TryParse(text, out address)
            && (address.AddressFamily == AddressFamily.InterNetworkV6 ? !text.Contains('[') : address.ToString() == text)
            && !address.IsIPv6Multicast && !(address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes()[0] >= 224);
    }
}
