using System.Globalization;
using System.Net;
using System.Text.Json;
using DnsClient;
using DnsClient.Protocol;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <param name="ConfigurationId">What is served.</param>
/// <param name="Serials">The serials must be those of the zone files.</param>
public sealed record ProveInput(Guid ServerId, Guid ConfigurationId, bool Serials);

/// <param name="Zones">How many were asked for.</param>
public sealed record Proof(int Zones);

/// <summary>
/// Asks the new server for the SOA of every zone over UDP and TCP: from the product's side of the network, or on the host itself where nobody outside can ask,
/// and where the product reaches the host through jump hosts only.
/// </summary>
public sealed class ProveAnswers(Servers.Servers servers, Configurations configurations, TimeProvider time) : Step<ProveAnswers, ProveInput, Proof>, IPreviewable<ProveInput, Proof>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // A reload takes some milliseconds; what is not answered after this is the next attempt's.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(200);
    private const int AtOnce = 8;
    internal const int MostTold = 20;

    // The SOA of every zone on standard input, over UDP and TCP; the standard library has no resolver that is told whom to ask.
    internal const string Question =
        """
        import json, socket, struct, sys
        address, port = sys.argv[1], int(sys.argv[2])
        family = socket.AF_INET6 if ":" in address else socket.AF_INET

        def over_udp(question):
            with socket.socket(family, socket.SOCK_DGRAM) as way:
                way.settimeout(2)
                way.connect((address, port))
                way.send(question)
                return way.recv(65535)

        def over_tcp(question):
            with socket.socket(family, socket.SOCK_STREAM) as way:
                way.settimeout(2)
                way.connect((address, port))
                way.sendall(struct.pack("!H", len(question)) + question)
                stream = way.makefile("rb")
                return stream.read(struct.unpack("!H", stream.read(2))[0])

        def skip(answer, at):
            while answer[at]:
                if answer[at] >= 192:
                    return at + 2
                at += 1 + answer[at]
            return at + 1

        def serial(answer, zone, way):
            flags, answers = struct.unpack("!2xHxxH", answer[:8])
            if not flags & 0x8400 == 0x8400 or flags & 15 or not answers:
                raise SystemExit("the SOA of %s over %s is not answered with authority (code %d)" % (zone, way, flags & 15))
            at = skip(answer, skip(answer, 12) + 4) + 10
            return struct.unpack("!I", answer[skip(answer, skip(answer, at)):][:4])[0]

        serials = {}
        for number, zone in enumerate(json.load(sys.stdin)):
            name = b"".join(bytes([len(label)]) + label.encode() for label in zone.split(".")) + b"\0"
            question = struct.pack("!6H", number % 65536, 0, 1, 0, 0, 0) + name + struct.pack("!2H", 6, 1)
            try:
                found = [(way, serial(ask(question), zone, way)) for way, ask in (("UDP", over_udp), ("TCP", over_tcp))]
            except OSError as error:
                raise SystemExit("the SOA of %s is not answered: %s" % (zone, error))
            if found[0][1] != found[1][1]:
                raise SystemExit("the SOA of %s has serial %d over UDP and %d over TCP" % (zone, found[0][1], found[1][1]))
            serials[zone] = found[0][1]
        print(json.dumps(serials))
        """;

    public override async Task<Proof> Run(ProveInput input, StepContext step)
    {
        var dns = (await configurations.Get(input.ConfigurationId, step.Cancellation)).Dns!;
        var wanted = dns.Zones.ToDictionary(z => z.Name!, z => input.Serials && z.HasOwnSerial ? ZoneFileSerial.Of(z.File!) : null);
        var target = await servers.Target(input.ServerId, step.Cancellation);
        var endpoints = target.Via is null ? await Endpoints(target, dns.Listen, step.Cancellation) : [];
        if (endpoints.Count == 0)
        {
            await AskOnTheHost(input, target, dns.Listen, wanted.ExceptBy(dns.Zones.Where(z => z.IsSecondary).Select(z => z.Name), w => w.Key).ToDictionary(), step);
        }

        foreach (var endpoint in endpoints)
        {
            await Ask(endpoint, target, dns, wanted, step);
            step.Log($"{endpoint} answers {(wanted.Count == 1 ? wanted.Keys.Single() : $"{wanted.Count} zones")} over UDP and TCP.");
        }

        await TellDelegationSigners(input.ServerId, [.. dns.Zones.Where(z => z.Dnssec).Take(MostTold)], step);
        return new Proof(wanted.Count);
    }

    public Task<Preview<Proof>> Preview(ProveInput input, CancellationToken cancellationToken) => Task.FromResult(Preview<Proof>.Nothing(null));

    private async Task Ask(IPEndPoint endpoint, HostTarget target, DnsConfiguration dns, Dictionary<string, long?> wanted, StepContext step)
    {
        var (udp, tcp) = (Client(endpoint, overTcp: false), Client(endpoint, overTcp: true));
        var signed = dns.Zones.Where(z => z.Dnssec).Select(z => z.Name).ToHashSet();
        var secondary = dns.Zones.Where(z => z.IsSecondary).Select(z => z.Name).ToHashSet();
        var (deadline, done) = (time.GetUtcNow() + Soon, 0);
        await Parallel.ForEachAsync(wanted, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = step.Cancellation }, async (zone, cancellationToken) =>
        {
            for (var pause = FirstPause; await Misses(endpoint, target, udp, tcp, zone.Key, zone.Value, signed.Contains(zone.Key), cancellationToken) is { } missed; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
            {
                if (time.GetUtcNow() > deadline && secondary.Contains(zone.Key))
                {
                    // It was fetched when it was new. Now its primaries are away for longer than it may be kept, and nothing that is done here helps.
                    step.Log($"{missed} It is a secondary zone: see to its primaries.", Microsoft.Extensions.Logging.LogLevel.Warning);
                    break;
                }

                if (time.GetUtcNow() > deadline)
                {
                    throw new InvalidOperationException(missed);
                }

                await Task.Delay(pause, time, cancellationToken);
            }

            step.Progress(Interlocked.Increment(ref done) / (double)wanted.Count, zone.Key);
        });
    }

    /// <returns>What is not as it should be; null when all is.</returns>
    private static async Task<string?> Misses(IPEndPoint endpoint, HostTarget target, LookupClient udp, LookupClient tcp, string zone, long? wanted, bool signed, CancellationToken cancellationToken)
    {
        var (overUdp, overTcp) = (await Soa(udp, endpoint, zone, target, cancellationToken), await Soa(tcp, endpoint, zone, target, cancellationToken));
        return overUdp is null || overTcp is null ? $"Asked {endpoint} on {target.DisplayName} for the SOA of {zone}: it answered without an authoritative SOA. The container's log tells more: docker logs {Component.ContainerName(Component.Dns)}"
            : signed && !overTcp.IsSigned ? $"{target} answers the SOA of {zone} without a signature on {endpoint}, and DNSSEC is on. Its log says why: docker logs {Component.ContainerName(Component.Dns)}"
            : overUdp.Serial != overTcp.Serial ? $"{target} answers the SOA of {zone} with serial {overUdp.Serial} over UDP and {overTcp.Serial} over TCP on {endpoint}."
            : wanted is { } serial && overUdp.Serial != serial ? OtherSerial(target, endpoint.ToString(), zone, overUdp.Serial, serial) : null;
    }

    private static string OtherSerial(HostTarget target, string where, string zone, long answered, long wanted) =>
        $"{target} answers the SOA of {zone} with serial {answered} on {where}, and the zone file has {wanted}: Knot has not taken the new file. Its log says why: docker logs {Component.ContainerName(Component.Dns)}";

    /// <summary>Who listens where nobody outside can ask is asked by the host itself.</summary>
    private async Task AskOnTheHost(ProveInput input, HostTarget target, IReadOnlyList<ListenRequest> addresses, Dictionary<string, long?> wanted, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        foreach (var listen in addresses)
        {
            var address = Own(IPAddress.Parse(listen.Address!), target);
            using var zones = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(wanted.Keys.Select(z => ZoneName.Parse(z).Value)));
            var said = await host.Run(["python3", "-c", Question, address.ToString(), listen.Port.ToString(CultureInfo.InvariantCulture)], new CommandOptions { Stdin = zones, Timeout = TimeSpan.FromMinutes(5) }, step.Cancellation);
            if (!said.Succeeded)
            {
                throw new InvalidOperationException($"{host.Target} asked its own DNS on {address} port {listen.Port}, and {said.Stderr.Trim().Split('\n')[^1]}. The container's log tells more: docker logs {Component.ContainerName(Component.Dns)}");
            }

            foreach (var (zone, serial) in JsonSerializer.Deserialize<Dictionary<string, long>>(said.Stdout)!)
            {
                if (wanted[zone] is { } file && file != serial)
                {
                    throw new InvalidOperationException(OtherSerial(host.Target, $"{address}:{listen.Port}", zone, serial, file));
                }
            }
        }

        var where = target.Via is { } hop ? $"{target}, which is behind {hop}," : string.Join(", ", addresses.Select(l => l.Address));
        step.Log($"Asked on the host only: the product cannot ask {where} from outside. Whether the zones are answered where they are needed was not proven.", Microsoft.Extensions.Logging.LogLevel.Warning);
        step.Unchanged($"answered on the host itself; {where} cannot be asked from outside");
    }

    /// <summary>Where the host asks who listens everywhere: at its own address in the network, if that is known.</summary>
    private static IPAddress Own(IPAddress listen, HostTarget target)
    {
        if (!listen.Equals(IPAddress.Any) && !listen.Equals(IPAddress.IPv6Any))
        {
            return listen;
        }

        return target.Via is not null && IPAddress.TryParse(target.Address.Text, out var own) && own.AddressFamily == listen.AddressFamily ? own
            : listen.Equals(IPAddress.Any) ? IPAddress.Loopback : IPAddress.IPv6Loopback;
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

    private static LookupClient Client(IPEndPoint endpoint, bool overTcp) => new(new LookupClientOptions(endpoint)
    {
        RequestDnsSecRecords = true, UseCache = false, UseTcpOnly = overTcp, UseTcpFallback = false, Recursion = false, Retries = 0, Timeout = Patience, AutoResolveNameServers = false,
    });

    /// <summary>What parent zones are to have. Where Knot does not say it now, it can be asked for at any time.</summary>
    private async Task TellDelegationSigners(Guid serverId, IReadOnlyList<Zone> signed, StepContext step)
    {
        if (signed.Count == 0)
        {
            return;
        }

        await using var host = await servers.Connect(serverId, step.Cancellation);
        foreach (var zone in signed)
        {
            var said = await ComponentControl.Knot(host, ComponentControl.DelegationSignerCommand(zone), null, step.Cancellation);
            foreach (var line in said.Stdout.Split('\n').Where(l => l.Contains(" CDS ", StringComparison.Ordinal)))
            {
                step.Log($"{zone.Name} is signed. Its parent zone needs: {zone.Name}. DS {line.Split(" CDS ")[1].Trim().ToUpperInvariant()}");
            }
        }
    }

    private sealed record Answered(long Serial, bool IsSigned);

    /// <returns>Null when there is no authoritative SOA.</returns>
    private static async Task<Answered?> Soa(LookupClient client, IPEndPoint endpoint, string zone, HostTarget target, CancellationToken cancellationToken)
    {
        var question = $"Asked {endpoint} on {target.DisplayName} for the SOA of {zone} over {(client.Settings.UseTcpOnly ? "TCP" : "UDP")}";
        try
        {
            var answer = await client.QueryAsync(ZoneName.Parse(zone).Absolute, QueryType.SOA, cancellationToken: cancellationToken);
            var soa = answer.Answers.OfType<SoaRecord>().FirstOrDefault();
            return soa is not null && answer.Header.HasAuthorityAnswer ? new Answered(soa.Serial, answer.Answers.OfType<RRSigRecord>().Any()) : null;
        }
        catch (DnsResponseException e)
        {
            throw new InvalidOperationException($"{question}: no answer within {Patience.TotalSeconds:0} s ({e.Message}). A firewall between the product and the host may be in the way, or Knot is not running.", e);
        }
    }
}
