using System.CommandLine;
using System.Globalization;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Commands;
using ManagedServers.Cli.Commands.Servers;

namespace ManagedServers.Cli.Commands.Config;

/// <summary>Changes what a server serves, without the rest of an install.</summary>
internal static class ApplyConfigCommand
{
    private static readonly Argument<string> Name = ServerArgument.Make();
    private static readonly Option<string[]> RemoveZones = new("--remove-zone") { Description = "Serve this zone no longer. May be given again.", HelpName = "NAME" };
    private static readonly Option<bool> Only = new("--only") { Description = "The zones given with --zone are all that there are to be." };
    private static readonly Option<bool> DropZones = ConfigArguments.DropZones();
    private static readonly Option<string[]> Listen = new("--listen") { Description = "DNS listens here, and only where this says. May be given again.", HelpName = "ADDR:PORT" };
    private static readonly Option<string?> Dhcp = new("--dhcp") { Description = "Serve the subnets of this Kea document (Dhcp4, JSON).", HelpName = "FILE" };
    private static readonly Option<bool> DropSubnets = ConfigArguments.DropSubnets();
    private static readonly Option<string?> Message = ConfigArguments.Message();
    private static readonly Option<string?> BasedOn = new("--based-on") { Description = "Only if this version is still the one that is served; with both components dns=N,dhcp=M.", HelpName = "N" };
    private static readonly Option<string?> IdempotencyKey = ConfigArguments.IdempotencyKey();

    public static DocumentedCommand Build() => new DocumentedCommand("apply", "Change what a server serves.")
    {
        Notes =
        [
            "What is not named stays as it is: of a zone too, so that a new zone file leaves its signing and its secondaries alone. The new configuration is checked by the very program that will serve it, then switched to and proven; if that fails, the one before comes back. "
            + "What serves goes on serving meanwhile; other addresses of DNS restart it.",
            "Applying what is served already changes nothing and says so.",
            StartedRuns.PlanNote,
        ],
        Examples =
        [
            "msctl config apply ns1 --zone example.org=example.org.zone -m 'new mail server'",
            "msctl config apply ns1 --remove-zone old.example --based-on 7",
            "msctl config apply ns1 --only --zone example.org=org.zone --zone example.net=net.zone --drop-zones",
            "msctl config apply ns1 --dnssec example.org",
            "msctl config apply dhcp1 --dhcp office.json",
        ],
    }.With([Name, .. ZoneOptions.All, RemoveZones, Only, DropZones, Listen, Dhcp, DropSubnets, Message, BasedOn, .. AroundOptions.All, .. StartedRuns.Options, IdempotencyKey]).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        var zones = ZoneOptions.Named(call);
        var only = call.Get(Only);
        if (only && (zones is null || call.Get(RemoveZones) is { Length: > 0 }))
        {
            throw new UsageException("--only needs all zones as --zone, and no --remove-zone.");
        }

        var request = AroundOptions.In(call, new ApplyRequest
        {
            Zones = only ? zones : null, SetZones = only ? null : zones,
            RemoveZones = call.Get(RemoveZones) is { Length: > 0 } removed ? removed : null,
            DropZones = call.Get(DropZones) ? true : null, DropDnssec = ZoneOptions.MayDropDnssec(call), Keys = ZoneOptions.NamedKeys(call),
            Listen = call.Get(Listen) is { Length: > 0 } listen ? [.. listen.Select(InstallInput.Listen)] : null,
            Dhcp = call.Get(Dhcp) is { } document ? InstallInput.Dhcp(document) : null,
            DropSubnets = call.Get(DropSubnets) ? true : null,
            Message = call.Get(Message),
            BasedOn = call.Get(BasedOn) is { } text ? Versions(text) : null,
        });
        return await StartedRuns.Do(call, ConfigurationApi.Apply(call.Get(Name), request), cancellationToken, call.Get(IdempotencyKey), call.Get(Name));
    }

    /// <summary>A number is meant for whatever is changed.</summary>
    private static BasedOn Versions(string text)
    {
        if (Number(text) is { } both)
        {
            return new BasedOn(both, both);
        }

        var named = text.Split(',').Select(part => part.Split('=')).ToList();
        return named.TrueForAll(p => p.Length == 2 && p[0] is "dns" or "dhcp" && Number(p[1]) is not null)
            ? new BasedOn(Of("dns"), Of("dhcp"))
            : throw new UsageException($"--based-on {text}: the number of a version was expected, or dns=N,dhcp=M.");

        int? Of(string component) => named.FirstOrDefault(p => p[0] == component) is { } part ? Number(part[1]) : null;
    }

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
