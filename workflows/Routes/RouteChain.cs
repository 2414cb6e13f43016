using System.Diagnostics;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Hosts.Ssh;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Routes;

/// <summary>A jump host with its credential, as it was checked or read.</summary>
/// <param name="Pinned">The key that was accepted before; null for a new one.</param>
/// <param name="Accepted">The fingerprint that the operator accepts now.</param>
internal sealed record RouteHop(HostAddress Address, SshPort Port, SshUser User, HostCredential Credential, HostKey? Pinned, string? Accepted = null);

/// <summary>The hops of a route as hosts, each reached through the one before it.</summary>
internal static class RouteChain
{
    public static HostTarget Target(string route, int index, int count, RouteHop hop, HostTarget? via) => new()
    {
        DisplayName = $"hop {index + 1} of {count} on route {route}", Address = hop.Address, Port = hop.Port, User = hop.User, Credential = hop.Credential, PinnedKey = hop.Pinned, Via = via,
        AcceptKeyBy = $"msctl routes edit {RemoteCommandLine.Quote(route)} --hop … with host-key=FINGERPRINT",
    };

    /// <summary>The hops as targets, in their order; a server behind the route is reached through the last.</summary>
    public static IReadOnlyList<HostTarget> Targets(string route, IReadOnlyList<RouteHop> hops)
    {
        List<HostTarget> targets = [];
        foreach (var (index, hop) in hops.Index())
        {
            targets.Add(Target(route, index, hops.Count, hop, targets.LastOrDefault()));
        }

        return targets;
    }

    /// <summary>Signs in on one hop after the other, each through those before it, its key first. Gives them with the keys that they showed.</summary>
    /// <exception cref="HostRejectedException">A hop refuses; the field begins with its place, for example <c>hops[1].hostKey</c>.</exception>
    public static async Task<IReadOnlyList<RouteHop>> Prove(this IHosts hosts, string route, IReadOnlyList<RouteHop> hops, CancellationToken cancellationToken)
    {
        List<RouteHop> proven = [];
        HostTarget? via = null;
        foreach (var (index, hop) in hops.Index())
        {
            var target = Target(route, index, hops.Count, hop, via);
            try
            {
                var shown = await hosts.ReadHostKey(hop.Address, hop.Port, via, cancellationToken);
                if (shown != hop.Pinned)
                {
                    AcceptedHostKey.Require(hop.Accepted ?? hop.Pinned?.Fingerprint, shown, target.ToString());
                }

                proven.Add(hop with { Pinned = shown });
                via = target with { PinnedKey = shown };
                await hosts.Prove(via, cancellationToken);
            }
            catch (HostRejectedException refused) when (refused.Field is { } field)
            {
                throw new HostRejectedException(refused.Code, refused.Message, refused) { Field = $"hops[{index}].{field}", Presented = refused.Presented, Expected = refused.Expected };
            }
        }

        return proven;
    }

    /// <summary>Signs in on every hop that can be reached; those behind one that fails are not tried.</summary>
    public static async Task<IReadOnlyList<HopTest>> Test(this IHosts hosts, IReadOnlyList<HostTarget> hops, CancellationToken cancellationToken)
    {
        List<HopTest> tests = [];
        string? broken = null;
        foreach (var hop in hops)
        {
            var watch = Stopwatch.StartNew();
            try
            {
                if (broken is null)
                {
                    await hosts.Prove(hop, cancellationToken);
                }
            }
            catch (Exception failure) when (failure is IHostProblem)
            {
                broken = hop.ToString();
                tests.Add(new HopTest(broken, false, watch.Elapsed.TotalMilliseconds, failure.Message));
                continue;
            }

            tests.Add(broken is null ? new HopTest(hop.ToString(), true, watch.Elapsed.TotalMilliseconds, null) : new HopTest(hop.ToString(), false, 0, $"not tried, because {broken} cannot be used"));
        }

        return tests;
    }
}
