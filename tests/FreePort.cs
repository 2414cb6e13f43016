using System.Net;
using System.Net.Sockets;

namespace ManagedServers.Tests;

/// <summary>
/// A port to listen on, free over TCP and UDP. Below those that the system gives to connections: between two starts of a server nobody listens there, and an
/// attempt to connect could be given that very port and keep it.
/// </summary>
public static class FreePort
{
    private const int First = 20_000;
    private const int GivenToConnections = 32_000;

    public static IPEndPoint On(IPAddress address)
    {
        while (true)
        {
            var endpoint = new IPEndPoint(address, Random.Shared.Next(First, GivenToConnections));
            try
            {
                using var tcp = new TcpListener(endpoint);
                tcp.Start();
                using var udp = new UdpClient(endpoint);
                return endpoint;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // another one
            }
        }
    }
}
