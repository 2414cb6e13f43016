using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <summary>How the very program that will serve a configuration is let read it, and what it says.</summary>
internal static class ConfigurationCheck
{
    private const string KeasError = "Error encountered:";
    private const int MostWarnings = 20;

    /// <summary>Where the files are to be, in the container.</summary>
    public static string Folder(ComponentConfiguration wanted) => wanted.Dns is null ? "/etc/kea" : "/etc/knot";

    /// <summary>The container, without the files.</summary>
    public static ThrowAway Of(ComponentConfiguration wanted, CatalogueImage image, string owner) => wanted.Dns is { } dns
        ? new ThrowAway { Owner = owner, Image = image.Image, Argv = KnotConfiguration.Check(dns), Timeout = TimeSpan.FromMinutes(5) }
        // In the host's network, because Kea looks for the interfaces that it is told to serve.
        : new ThrowAway { Owner = owner, Image = image.Image, Argv = ["/usr/sbin/kea-dhcp4", "-t", $"/etc/kea/{KeaConfiguration.FileName}"], Network = "host" };

    /// <summary>As good for a check: a secret goes to a host only with a run. Its form was checked as it was given.</summary>
    public static ComponentConfiguration WithoutSecrets(ComponentConfiguration wanted) => wanted.Dns is { Keys.Count: > 0 } dns
        ? ComponentConfiguration.Of(dns with { Keys = [.. dns.Keys.Select(k => k with { Secret = Convert.ToBase64String(new byte[32]) })] }) : wanted;

    /// <summary>Why it is refused, in the program's own words; null when it is taken.</summary>
    public static string? Refusal(CommandResult result, ComponentConfiguration wanted, HostTarget host)
    {
        if (result.Succeeded)
        {
            return null;
        }

        if (wanted.Dns is not { } dns)
        {
            var said = result.Stderr.Split('\n').FirstOrDefault(l => l.StartsWith(KeasError, StringComparison.Ordinal))?[KeasError.Length..].Trim() ?? Said(result);
            return $"Kea on {host} refuses the configuration: {said.TrimEnd('.')}.";
        }

        return BadZone(result, dns) is var (index, name) ? $"The file of zone {name} (zones[{index}].file) has an error: {Said(result)}." : $"Knot on {host} refuses its configuration: {Said(result)}.";
    }

    /// <summary>What Knot serves all the same, but does not like.</summary>
    public static IReadOnlyList<string> Warnings(CommandResult result)
    {
        var all = Lines(result).Where(l => l.Contains("warning: [", StringComparison.OrdinalIgnoreCase)).Select(w => $"Knot {w}").ToList();
        return all.Count <= MostWarnings ? all : [.. all.Take(MostWarnings), $"Knot has {all.Count - MostWarnings} more warnings about the zones."];
    }

    /// <summary>The first zone about which Knot says something: it begins with the zone's name then.</summary>
    private static (int Index, string Name)? BadZone(CommandResult result, DnsConfiguration dns) => dns.Zones.Index()
        .Where(z => (result.Stderr + result.Stdout).Contains($"error: [{ZoneName.Parse(z.Item.Name).Absolute}]", StringComparison.Ordinal))
        .Select(z => ((int, string)?)(z.Index, z.Item.Name)).FirstOrDefault();

    // The folder of Knot's databases is not there in a container that is thrown away.
    private static IEnumerable<string> Lines(CommandResult result) => (result.Stderr + "\n" + result.Stdout).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        .Where(l => !l.Contains("database storage", StringComparison.Ordinal));

    private static string Said(CommandResult result)
    {
        var said = string.Join("; ", Lines(result).Take(10));
        return said.Length > 0 ? said.TrimEnd('.') : $"exit code {result.ExitCode}, without a word";
    }
}
