namespace ManagedServers.Lab;

/// <summary>
/// A host in a network that this machine cannot reach, and the two jump hosts before it. Outwards each of them passes on what the one behind it
/// sends, as a router with address translation does, so that the host reaches a product on this machine.
/// </summary>
public sealed class LabJumps : IAsyncDisposable
{
    private const string Middle = "middle";
    private const string Inner = "inner";

    private LabJumps(LabHost first, LabHost second, LabHost target) => (First, Second, Target) = (first, second, target);

    /// <summary>Reached from this machine.</summary>
    public LabHost First { get; }

    /// <summary>Reached from the first only, at <see cref="SecondAddress"/>.</summary>
    public LabHost Second { get; }

    /// <summary>Reached from the second only, at its <see cref="LabHost.Address"/>.</summary>
    public LabHost Target { get; }

    public string SecondAddress => Second.Address;

    /// <param name="jump">What the jump hosts are like beside that they have neither Docker nor Python.</param>
    /// <param name="target">What the host behind them is like.</param>
    public static async Task<LabJumps> Start(LabOptions? jump = null, LabOptions? target = null, CancellationToken cancellationToken = default)
    {
        jump = (jump ?? new LabOptions()) with { Docker = false, Python = false };
        List<LabHost> hosts = [];
        try
        {
            hosts.Add(await LabHost.Start(jump with { Name = "jump1", InnerNetworks = [Middle] }, cancellationToken));
            hosts.Add(await LabHost.Start(jump with { Name = "jump2", Reachable = false, InnerNetworks = [Middle, Inner] }, cancellationToken));
            hosts.Add(await LabHost.Start((target ?? new LabOptions()) with { Reachable = false, InnerNetworks = [Inner] }, cancellationToken));
            var jumps = new LabJumps(hosts[0], hosts[1], hosts[2]);
            await jumps.PassOutwards(cancellationToken);
            return jumps;
        }
        catch
        {
            foreach (var host in hosts)
                await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>What a reboot of one of them undoes.</summary>
    public async Task PassOutwards(CancellationToken cancellationToken = default)
    {
        const string pass = "echo 1 > /proc/sys/net/ipv4/ip_forward; iptables -t nat -F POSTROUTING; iptables -t nat -A POSTROUTING -j MASQUERADE";
        await First.Run($"ip route replace default via {First.Gateway} && {pass}", cancellationToken);
        await Second.Run($"ip route replace default via {First.InnerAddresses[Middle]} && {pass}", cancellationToken);
        await Target.Run($"ip route replace default via {Second.InnerAddresses[Inner]}", cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await Target.DisposeAsync();
        await Second.DisposeAsync();
        await First.DisposeAsync();
    }
}
