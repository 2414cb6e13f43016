using System.Globalization;
using System.Net;
using System.Text.Json;
using DnsClient;
using DnsClient.Protocol;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record ProveInput(Guid ServerId, IReadOnlyList<string> Zones, IReadOnlyList<ListenRequest> Listen);

/// <param name="Serials">The serial of every zone as it was answered.</param>
public sealed record Proof(IReadOnlyDictionary<string, long> Serials);

/// <summary>
/// Asks the new server for the SOA of every zone over UDP and TCP: from the product's side of the network, or on the host itself where nobody outside can ask,
/// and where the product reaches the host through jump hosts only.
/// </summary>
public sealed class ProveAnswers(Servers.Servers servers) : Step<ProveAnswers, ProveInput, Proof>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

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
        var target = await servers.Target(input.ServerId, step.Cancellation);
        var endpoints = target.Via is null ? await Endpoints(target, input.Listen, step.Cancellation) : [];
        if (endpoints.Count == 0)
        {
            return await AskOnTheHost(input, target, step);
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

    private async Task<Proof> AskOnTheHost(ProveInput input, HostTarget target, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var serials = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var listen in input.Listen)
        {
            var address = Own(IPAddress.Parse(listen.Address!), target);
            using var zones = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(input.Zones.Select(z => ZoneName.Parse(z).Value)));
            var said = await host.Run(["python3", "-c", Question, address.ToString(), listen.Port.ToString(CultureInfo.InvariantCulture)], new CommandOptions { Stdin = zones, Timeout = TimeSpan.FromMinutes(5) }, step.Cancellation);
            if (!said.Succeeded)
            {
                throw new InvalidOperationException($"{host.Target} asked its own DNS on {address} port {listen.Port}, and {said.Stderr.Trim().Split('\n')[^1]}. The container's log tells more: docker logs {Component.ContainerName(Component.Dns)}");
            }

            foreach (var (zone, serial) in JsonSerializer.Deserialize<Dictionary<string, long>>(said.Stdout)!)
            {
                serials[zone] = serial;
            }
        }

        var where = target.Via is { } hop ? $"{target}, which is behind {hop}," : string.Join(", ", input.Listen.Select(l => l.Address));
        step.Log($"Asked on the host only: the product cannot ask {where} from outside. Whether the zones are answered where they are needed was not proven.", Microsoft.Extensions.Logging.LogLevel.Warning);
        step.Unchanged($"answered on the host itself; {where} cannot be asked from outside");
        return new Proof(serials);
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
