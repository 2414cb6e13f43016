using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Commands;
using ManagedServers.Cli.Commands.Config;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>Starts an installation and, unless told otherwise, watches it to its end.</summary>
internal static class InstallCommand
{
    private static readonly Argument<string> Name = ServerArgument.Make();
    private static readonly Option<string?> Components = new("--components") { Description = "What to install, with commas, of dns, dhcp and monitor. What is configured here, dns with its monitor, if not given.", HelpName = "LIST" };
    private static readonly Option<bool> DropZones = new("--drop-zones") { Description = "Zones that the server serves now and that are not given may go." };
    private static readonly Option<string[]> Listen = new("--listen") { Description = "DNS listens here. May be given again. All IPv4 addresses, port 53, if not given; as now where no zone is given either.", HelpName = "ADDR:PORT" };
    private static readonly Option<string?> Statistics = new("--statistics") { Description = "How the monitor sends what it counts: https to the product, or rabbitmq; or pull: the product fetches that and the heartbeats over SSH. As now, if not given.", HelpName = "WAY" };
    private static readonly Option<string?> Dhcp = new("--dhcp") { Description = "Serve the subnets of this Kea document (Dhcp4, JSON). Those that are served now, if not given.", HelpName = "FILE" };
    private static readonly Option<bool> DropSubnets = new("--drop-subnets") { Description = "Subnets that the server serves now and that are not in the document may go." };

    private static readonly Option<string?> IdempotencyKey = new("--idempotency-key")
    {
        Description = "Starting again with the same key gives the run that was started first. A new key if not given.", HelpName = "KEY",
    };

    public static DocumentedCommand Build() => new DocumentedCommand("install", "Install components on a server.")
    {
        Notes =
        [
            "The run goes on in the product, whatever happens to this command; Ctrl-C only stops watching. Installing what is installed already changes nothing and says so; without zones it is what is served now.",
            "On a server that is installed by hand it shows the line to run on the host, and the token that the line asks for; the run waits for the host.",
            "Commands come from the catalogue (msctl commands list), or are given here as text, which root runs as it stands. One that was interrupted half-way pauses the run, unless it is marked as repeatable.",
            "With -o json and watching, standard output has one JSON object a line, by hand an \"enrolment\" first: {\"event\":\"run\"|\"log\"|\"end\",\"data\":…}; with --no-watch or --plan the API's answer.",
            StartedRuns.PlanNote,
        ],
        Examples =
        [
            "msctl servers install ns1 --zone example.org=example.org.zone",
            "msctl servers install ns1 --components dns,monitor --zone example.org=org.zone --listen 192.0.2.10:53 --listen [2001:db8::10]:53",
            "msctl servers install ns1 --zone example.org=org.zone --plan",
            "msctl servers install ns2 --secondary example.org=192.0.2.1/xfr.example.org --tsig-key xfr.key",
            "msctl servers install dhcp1 --dhcp office.json",
            "msctl servers install ns1 --zone example.org=org.zone --pre-command 'free port 53' --post-command 'ask DNS'",
            "msctl servers install ns1 --zone example.org=org.zone --pre-command 'wait for the disk=mountpoint /srv' --no-watch",
        ],
    }.With([Name, Components, .. ZoneOptions.All, DropZones, Listen, Statistics, Dhcp, DropSubnets, .. AroundOptions.All, ByHand.TokenFile, .. StartedRuns.Options, IdempotencyKey]).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        var request = AroundOptions.In(call, new InstallRequest
        {
            Components = call.Get(Components) is { } list ? InstallInput.Components(list) : null,
            Zones = ZoneOptions.Named(call), Keys = ZoneOptions.NamedKeys(call),
            DropZones = call.Get(DropZones) ? true : null, DropDnssec = ZoneOptions.MayDropDnssec(call),
            Listen = call.Get(Listen) is { Length: > 0 } listen ? [.. listen.Select(InstallInput.Listen)] : null,
            Statistics = call.Get(Statistics),
            Dhcp = call.Get(Dhcp) is { } document ? InstallInput.Dhcp(document) : null,
            DropSubnets = call.Get(DropSubnets) ? true : null,
        });
        return await StartedRuns.Do(call, ServersApi.Install(call.Get(Name), request), cancellationToken, call.Get(IdempotencyKey), call.Get(Name));
    }
}
