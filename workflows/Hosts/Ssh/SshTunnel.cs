using System.Net;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace ManagedServers.Workflows.Hosts.Ssh;

/// <summary>
/// One connection from this process through an open SSH connection to a further address. SSH.NET begins it at a port on loopback, which every
/// account of this machine could use: it lets in one connection, and that only from a socket of this very process.
/// </summary>
internal sealed class SshTunnel
{
    private static readonly Lock Threads = new();
    private readonly ForwardedPortLocal port;
    private readonly ChannelRefusals refusals;
    private readonly Action<ForwardedPortLocal> detach;
    private int taken;
    private int closed;

    private SshTunnel(ForwardedPortLocal port, ChannelRefusals refusals, Action<ForwardedPortLocal> detach) => (this.port, this.refusals, this.detach) = (port, refusals, detach);

    public IPEndPoint Entrance => new(IPAddress.Loopback, (int)port.BoundPort);

    /// <summary>Blocks; runs on a thread of <see cref="BlockingThreads"/>.</summary>
    public static SshTunnel Open(HostAddress address, SshPort to, Action<ForwardedPortLocal> attach, Action<ForwardedPortLocal> detach, SshClient client)
    {
        // The address is resolved where the connection ends: names of an inner network are known there only.
        var port = new ForwardedPortLocal(IPAddress.Loopback.ToString(), address.Text, (uint)to.Number);
        var tunnel = new SshTunnel(port, new ChannelRefusals(client), detach);
        port.RequestReceived += tunnel.Admit;
        attach(port);
        try
        {
            port.Start();
            MoreThreads(1);
            return tunnel;
        }
        catch
        {
            detach(port);
            tunnel.refusals.Dispose();
            throw;
        }
    }

    /// <summary>What the host in between said when it did not open the way; null when it did, or has not answered.</summary>
    public ChannelRefusal? Refusal => refusals.Last;

    /// <summary>Nobody waits for it: a host that has not answered yet holds it up.</summary>
    public void Close()
    {
        if (Interlocked.Exchange(ref closed, 1) != 0)
        {
            return;
        }

        refusals.Dispose();
        _ = BlockingThreads.Run(() =>
        {
            try
            {
                port.Stop();
                detach(port);
                port.Dispose();
            }
            catch (Exception failure) when (failure is SshException or ObjectDisposedException or InvalidOperationException or NullReferenceException or System.Net.Sockets.SocketException)
            {
                // The connection that carried it is gone, and the tunnel with it.
            }
            finally
            {
                MoreThreads(-1);
            }
        });
    }

    // SSH.NET asks before it opens the way; what is thrown here closes that connection, and nothing else.
    private void Admit(object? sender, PortForwardEventArgs request)
    {
        if (!OwnSockets.Connected((int)request.OriginatorPort, (int)port.BoundPort))
        {
            throw new InvalidOperationException("Another process tried to use the tunnel and was turned away.");
        }

        if (Interlocked.Exchange(ref taken, 1) != 0)
        {
            throw new InvalidOperationException("A tunnel carries one connection.");
        }
    }

    // SSH.NET holds a thread of the pool for as long as a tunnel is used; the others must not miss it.
    private static void MoreThreads(int number)
    {
        lock (Threads)
        {
            ThreadPool.GetMinThreads(out var workers, out var ports);
            ThreadPool.SetMinThreads(workers + number, ports);
        }
    }
}
