using System.Net;
using ManagedServers.Workflows.Hosts.Ssh;

namespace ManagedServers.Workflows.Hosts;

/// <summary>Where a host's SSH port is dialled: at its own address, or at the entrance of a tunnel through the host before it, which is leased as long.</summary>
internal sealed class HostWay : IAsyncDisposable
{
    private readonly HostLease? before;
    private readonly SshTunnel? tunnel;
    private readonly string where;

    private HostWay(EndPoint dial, string where, HostLease? before = null, SshTunnel? tunnel = null) => (Dial, this.where, this.before, this.tunnel) = (dial, where, before, tunnel);

    public EndPoint Dial { get; }

    public static HostWay Direct(HostAddress address, SshPort port, string where) => new(new DnsEndPoint(address.Text, port.Number), where);

    /// <param name="before">Given back with the way, also when there is none.</param>
    /// <param name="where">The host that is to be reached, for messages.</param>
    public static async Task<HostWay> Through(HostLease before, HostAddress address, SshPort port, string where, CancellationToken cancellationToken)
    {
        try
        {
            var tunnel = await before.Link.Connection.OpenTunnel(before.Target, address, port, $"reaching {where}", cancellationToken);
            return new HostWay(tunnel.Entrance, where, before, tunnel);
        }
        catch
        {
            await before.DisposeAsync();
            throw;
        }
    }

    /// <summary>The reason why what is at the end of the way could not be reached, where the host before it knows better.</summary>
    public async Task<Exception> Explain(Exception failure, TimeSpan patience)
    {
        if (tunnel is null || failure is OperationCanceledException or HostRejectedException { Code: not HostProblem.NotSsh })
        {
            return failure;
        }

        var connection = before!.Link.Connection;
        if (tunnel.Refusal is { } refusal && connection.IsAlive)
        {
            return SshProblems.OfTunnel(refusal, before.Target, where);
        }

        // A host in between that has lost its power says nothing by itself, and everybody behind it would wait for it again.
        return await Silent(before.Target, patience) is { } silent ? SshProblems.Lost(silent, $"reaching {where}", failure) : failure;
    }

    /// <summary>The first host on the way that no longer answers; its connection is closed, and with it those that go through it.</summary>
    /// <param name="last">The host before the end, as who goes this way calls it and those before it.</param>
    private async Task<HostTarget?> Silent(HostTarget? last, TimeSpan patience)
    {
        if (before is null || last is null)
        {
            return null;
        }

        var connection = before.Link.Connection;
        return await before.Link.Way.Silent(last.Via, patience) ?? (connection.IsAlive && await connection.Answers(patience) ? null : last);
    }

    public async ValueTask DisposeAsync()
    {
        tunnel?.Close();
        await (before?.DisposeAsync() ?? ValueTask.CompletedTask);
    }
}
