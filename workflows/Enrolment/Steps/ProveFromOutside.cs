using System.Net;
using System.Net.Sockets;
using DnsClient;
using DnsClient.Protocol;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Provisioning;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Enrolment.Steps;

/// <param name="From">The address from which the host has checked in; used where the server has none.</param>
public sealed record ProveFromOutsideInput(Guid ServerId, string? From, IReadOnlyList<string> Zones, IReadOnlyList<ListenRequest> Listen);

/// <summary>
/// Asks a host that was installed by hand for the SOA of every zone, from the product's side of the network. The host has proven its zones to itself already, and may
/// stand where the product cannot ask it: no answer is told and is no failure. A wrong one is, at an address that an operator gave.
/// </summary>
public sealed class ProveFromOutside(Servers.Servers servers) : Step<ProveFromOutside, ProveFromOutsideInput, Nothing>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public override async Task<Nothing> Run(ProveFromOutsideInput input, StepContext step)
    {
        var server = await servers.Get(input.ServerId.ToString(), step.Cancellation);
        var unproven = new List<string>();
        var endpoints = await Endpoints(server.Address ?? input.From, input.Listen, step.Cancellation);
        foreach (var endpoint in endpoints)
        {
            if (await Ask(endpoint, input.Zones, step) is not { } fault)
            {
                step.Log($"{endpoint} answers {(input.Zones.Count == 1 ? input.Zones[0] : $"{input.Zones.Count} zones")} over UDP and TCP.");
            }
            else if (fault.Answered && server.Address is not null)
            {
                throw new InvalidOperationException($"Asked {server.Name} at {endpoint} {fault.What}. The container's log tells more: docker logs {Component.ContainerName(Component.Dns)}");
            }
            else
            {
                unproven.Add($"{endpoint} {fault.What}");
            }
        }

        if (unproven.Count > 0 || endpoints.Count == 0)
        {
            step.Log($"{server.Name} answers on the host itself; whether it is answered where it is needed was not proven: {(endpoints.Count == 0 ? "the product knows no address to ask" : string.Join("; ", unproven))}.", LogLevel.Warning);
            step.Unchanged("answered on the host itself; the product cannot ask it from outside");
        }

        return Nothing.Value;
    }

    private static async Task<List<IPEndPoint>> Endpoints(string? host, IReadOnlyList<ListenRequest> listen, CancellationToken cancellationToken)
    {
        List<IPEndPoint> endpoints = [];
        foreach (var wanted in listen)
        {
            var address = IPAddress.Parse(wanted.Address!);
            if (!address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any))
            {
                if (!IPAddress.IsLoopback(address))
                {
                    endpoints.Add(new IPEndPoint(address, wanted.Port));
                }
            }
            else if (host is not null)
            {
                try
                {
                    endpoints.AddRange((await Dns.GetHostAddressesAsync(host, address.AddressFamily, cancellationToken)).Take(1).Select(a => new IPEndPoint(a, wanted.Port)));
                }
                catch (SocketException)
                {
                    // A name that this machine does not know: there is nobody to ask.
                }
            }
        }

        return endpoints;
    }

    /// <summary>Null when all is answered.</summary>
    private static async Task<Fault?> Ask(IPEndPoint endpoint, IReadOnlyList<string> zones, StepContext step)
    {
        foreach (var (index, zone) in zones.Index())
        {
            List<long> serials = [];
            foreach (var overTcp in new[] { false, true })
            {
                var way = overTcp ? "TCP" : "UDP";
                var client = new LookupClient(new LookupClientOptions(endpoint)
                {
                    UseCache = false, UseTcpOnly = overTcp, UseTcpFallback = false, Recursion = false, Retries = 0, Timeout = Patience, AutoResolveNameServers = false,
                });
                try
                {
                    var answer = await client.QueryAsync(ZoneName.Parse(zone).Absolute, QueryType.SOA, cancellationToken: step.Cancellation);
                    if (!answer.Header.HasAuthorityAnswer || answer.Answers.OfType<SoaRecord>().FirstOrDefault() is not { } soa)
                    {
                        return new Fault(true, $"for the SOA of {zone} over {way}: it answered {answer.Header.ResponseCode} without an authoritative SOA");
                    }

                    serials.Add(soa.Serial);
                }
                catch (DnsResponseException e)
                {
                    return new Fault(false, $"for the SOA of {zone} over {way}: no answer within {Patience.TotalSeconds:0} s ({e.Message})");
                }
            }

            if (serials[0] != serials[1])
            {
                return new Fault(true, $"for the SOA of {zone}: serial {serials[0]} over UDP and {serials[1]} over TCP");
            }

            step.Progress((index + 1.0) / zones.Count, zone);
        }

        return null;
    }

    private sealed record Fault(bool Answered, string What);
}
