using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <summary>
/// Zones that come from other servers. One that was not a secondary before, or came from elsewhere, is fetched whole: Knot by itself would keep what it has of it as long as
/// that has the higher serial. So is one whose key is another one now: nothing else would prove it before the zone expires.
/// </summary>
internal static class SecondaryZones
{
    // A server may be busy, and a new container takes a moment to listen.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <param name="before">What was served before; null for nothing.</param>
    public static IReadOnlyList<Zone> ToFetch(DnsConfiguration? wanted, DnsConfiguration? before)
    {
        var known = before?.Zones.ToDictionary(z => z.Name) ?? [];
        return [.. (wanted?.Zones ?? []).Where(z => z.IsSecondary && !(known.TryGetValue(z.Name, out var was) && was.Primaries.SequenceEqual(z.Primaries) && KeysOf(wanted!, z).SequenceEqual(KeysOf(before!, was))))];

        static IEnumerable<TsigKey?> KeysOf(DnsConfiguration dns, Zone zone) => zone.Primaries.Select(p => dns.Keys.FirstOrDefault(k => k.Name == p.Key));
    }

    /// <summary>What is executed in Knot's container to fetch them, and wait for the end.</summary>
    public static string[] Command(IEnumerable<Zone> zones) =>
        KnotConfiguration.Control(["-t", "120", "-b", "zone-retransfer", .. zones.Select(z => ZoneName.Parse(z.Name).Absolute)]);

    /// <exception cref="StepRejectedException">One did not come.</exception>
    public static async Task Fetch(IHost host, IReadOnlyList<Zone> zones, StepContext step, TimeProvider time)
    {
        if (zones.Count == 0)
        {
            return;
        }

        step.Log($"Fetches {(zones.Count == 1 ? zones[0].Name : $"{zones.Count} secondary zones")}.");
        for (var start = time.GetTimestamp(); ;)
        {
            var said = await Ask(host, zones, step.Cancellation);
            if (said.Succeeded)
            {
                return;
            }

            if (time.GetElapsedTime(start) > Patience)
            {
                throw new StepRejectedException(Missing(host.Target, Named(said, zones) ?? zones[0], said));
            }

            await Task.Delay(Pause, time, step.Cancellation);
        }
    }

    /// <summary>As far as they come now: after a failure, when what was served before is served again.</summary>
    public static async Task FetchAgain(IHost host, IReadOnlyList<Zone> zones, StepContext step)
    {
        if (zones.Count > 0 && await Ask(host, zones, step.Cancellation) is { Succeeded: false } said)
        {
            step.Log($"{Missing(host.Target, Named(said, zones) ?? zones[0], said)} It goes on with what it has.", LogLevel.Warning);
        }
    }

    private static Task<CommandResult> Ask(IHost host, IReadOnlyList<Zone> zones, CancellationToken cancellationToken) =>
        ComponentControl.Knot(host, Command(zones), new CommandOptions { Timeout = TimeSpan.FromMinutes(3) }, cancellationToken);

    private static Zone? Named(CommandResult said, IReadOnlyList<Zone> zones) =>
        zones.FirstOrDefault(z => (said.Stderr + said.Stdout).Contains($"[{ZoneName.Parse(z.Name).Absolute}]", StringComparison.Ordinal));

    private static string Missing(HostTarget target, Zone zone, CommandResult said)
    {
        var primaries = string.Join(" or ", zone.Primaries.Select(p => $"{p.Address} port {p.Port}{(p.Key is null ? "" : $" with the key {p.Key}")}"));
        var why = (said.Stderr + said.Stdout).Trim().Split('\n')[0];
        return $"{target} has not got {zone.Name} from {primaries} ({why}). See that the host reaches it over UDP and TCP, that it lets this host transfer the zone, and that both have the same key; "
            + $"Knot's log has its answer: docker logs {Component.ContainerName(Component.Dns)}";
    }
}
