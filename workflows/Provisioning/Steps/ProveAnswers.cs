using System.Globalization;
using System.Net;
using DnsClient;
using DnsClient.Protocol;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record ProveInput(Guid ServerId, IReadOnlyList<string> Zones, IReadOnlyList<ListenRequest> Listen);

/// <param name="Serials">The serial of every zone as it was answered.</param>
public sealed record Proof(IReadOnlyDictionary<string, long> Serials);

/// <summary>Asks the new server for the SOA of every zone, from the product's side of the network, over UDP and TCP.</summary>
public sealed class ProveAnswers(Servers.Servers servers) : Step<ProveAnswers, ProveInput, Proof>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public override async Task<Proof> Run(ProveInput input, StepContext step)
    {
        var target = await servers.Target(input.ServerId, step.Cancellation);
        var endpoints = await Endpoints(target, input.Listen, step.Cancellation);
        if (endpoints.Count == 0)
        {
            step.Log($"Nothing could be asked from outside: {string.Join(", ", input.Listen.Select(l => l.Address))} is not an address that the product can reach through {target.Address.Text}. "
                + "Whether the zones are answered was not proven; ask from where they are needed.", Microsoft.Extensions.Logging.LogLevel.Warning);
        }

        var serials = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var endpoint in endpoints)
        {
            foreach (var (index, zone) in input.Zones.Index())
            {
                var udp = await Serial(endpoint, zone, overTcp: false, target, step.Cancellation);
                var tcp = await Serial(endpoint, zone, overTcp: true, target, step.Cancellation);
                serials[zone] = udp == tcp ? udp : throw new InvalidOperationException($"{target} answers the SOA of {zone} with serial {udp} over UDP and {tcp} over TCP on {endpoint}.");
                step.Progress((index + 1.0) / input.Zones.Count, $"{zone} serial {udp.ToString(CultureInfo.InvariantCulture)}");
            }

            step.Log($"{endpoint} answers {(input.Zones.Count == 1 ? input.Zones[0] : $"{input.Zones.Count} zones")} over UDP and TCP.");
        }

        return new Proof(serials);
    }

    private static async Task<IReadOnlyList<IPEndPoint>> Endpoints(HostTarget target, IReadOnlyList<ListenRequest> listen, CancellationToken cancellationToken)
    {
        List<IPEndPoint> endpoints = [];
        foreach (var wanted in listen)
        {
            var address = IPAddress.Parse(wanted.Address!);
            if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            {
                var own = await Dns.GetHostAddressesAsync(target.Address.Text, address.AddressFamily, cancellationToken);
                endpoints.AddRange(own.Take(1).Select(a => new IPEndPoint(a, wanted.Port)));
            }
            else if (!IPAddress.IsLoopback(address))
            {
                endpoints.Add(new IPEndPoint(address, wanted.Port));
            }
        }

        return [.. endpoints.Distinct()];
    }

    private static async Task<long> Serial(IPEndPoint endpoint, string zone, bool overTcp, HostTarget target, CancellationToken cancellationToken)
    {
        var (protocol, client) = (overTcp ? "TCP" : "UDP", new LookupClient(new LookupClientOptions(endpoint)
        {
            UseCache = false, UseTcpOnly = overTcp, UseTcpFallback = false, Recursion = false, Retries = 0, Timeout = Patience, AutoResolveNameServers = false,
        }));
        var question = $"Asked {endpoint} on {target.DisplayName} for the SOA of {zone} over {protocol}";
        try
        {
            var answer = await client.QueryAsync(ZoneName.Parse(zone).Absolute, QueryType.SOA, cancellationToken: cancellationToken);
            var soa = answer.Answers.OfType<SoaRecord>().FirstOrDefault();
            return soa is not null && answer.Header.HasAuthorityAnswer
                ? soa.Serial
                : throw new InvalidOperationException($"{question}: it answered {answer.Header.ResponseCode} without an authoritative SOA. The container's log tells more: docker logs {Component.ContainerName(Component.Dns)}");
        }
        catch (DnsResponseException e)
        {
            throw new InvalidOperationException($"{question}: no answer within {Patience.TotalSeconds:0} s ({e.Message}). A firewall between the product and the host may be in the way, or Knot is not running.", e);
        }
    }
}
