using System.CommandLine;

namespace ManagedServers.Cli.Commands.Config;

/// <summary>What the commands about configurations are told, in the same words.</summary>
internal static class ConfigArguments
{
    public static Argument<string> Component() => OneOf(new Argument<string>("COMPONENT") { Description = "dns or dhcp" });

    public static Argument<int> Version(string name, string description) => new(name) { Description = description };

    public static Option<string?> Message() => new("--message", "-m") { Description = "Why; kept with the version.", HelpName = "TEXT" };

    public static Option<bool> DropZones() => new("--drop-zones") { Description = "Zones that are served now and are not in it may go." };

    public static Option<bool> DropDnssec() => new("--drop-dnssec") { Description = "Zones that are signed now and not in it need be so no longer: their parents have no DS any more." };

    public static Option<bool> DropSubnets() => new("--drop-subnets") { Description = "Subnets that are served now and are not in it may go." };

    public static Option<string?> IdempotencyKey() =>
        new("--idempotency-key") { Description = "Starting again with the same key gives the run that was started first. A new key if not given.", HelpName = "KEY" };

    private static Argument<string> OneOf(Argument<string> argument)
    {
        argument.AcceptOnlyFromAmong("dns", "dhcp");
        return argument;
    }
}
