using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Commands;
using ManagedServers.Cli.Commands.Servers;

namespace ManagedServers.Cli.Commands.Config;

/// <summary>Brings an older version back, as a new one.</summary>
internal static class RestoreCommand
{
    private static readonly Argument<string> Name = ServerArgument.Make();
    private static readonly Argument<string> Component = ConfigArguments.Component();
    private static readonly Argument<int> Version = ConfigArguments.Version("VERSION", "The version that is to be served again");
    private static readonly Option<bool> DropZones = ConfigArguments.DropZones();
    private static readonly Option<bool> DropDnssec = ConfigArguments.DropDnssec();
    private static readonly Option<bool> DropSubnets = ConfigArguments.DropSubnets();
    private static readonly Option<string?> Message = ConfigArguments.Message();
    private static readonly Option<int?> BasedOn = new("--based-on") { Description = "Only if this version is still the one that is served.", HelpName = "N" };
    private static readonly Option<string?> IdempotencyKey = ConfigArguments.IdempotencyKey();

    public static DocumentedCommand Build() => new DocumentedCommand("restore", "Serve again what an older version was.")
    {
        Notes =
        [
            "It becomes a new version that equals the old one, and is applied as any other.",
            "An older zone file has an older serial: secondaries that have fetched the newer one keep it until the serial grows beyond theirs.",
        ],
        Examples = ["msctl config restore ns1 dns 3", "msctl config restore ns1 dns 3 --drop-zones -m 'the new zones were a mistake'"],
    }.With([Name, Component, Version, DropZones, DropDnssec, DropSubnets, Message, BasedOn, .. AroundOptions.All, .. StartedRuns.Options, IdempotencyKey]).Does(async (call, cancellationToken) =>
    {
        var request = AroundOptions.In(call, new RestoreRequest
        {
            DropZones = call.Get(DropZones) ? true : null, DropDnssec = call.Get(DropDnssec) ? true : null, DropSubnets = call.Get(DropSubnets) ? true : null, Message = call.Get(Message), BasedOn = call.Get(BasedOn),
        });
        return await StartedRuns.Do(
            call, ConfigurationApi.Restore(call.Get(Name), call.Get(Component), call.Get(Version), request), cancellationToken, call.Get(IdempotencyKey), call.Get(Name));
    });
}
