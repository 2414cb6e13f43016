using System.Text.RegularExpressions;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>What an agent may say.</summary>
internal static partial class HeartbeatRules
{
    private const int MostBeats = 1000;

    public static Delivery Check(Guid serverId, HeartbeatReport report, DateTimeOffset receivedAt, MonitoringOptions options)
    {
        var refusals = new Refusals();
        var epoch = Common.Epoch(report.Epoch, refusals);
        var clock = new SenderClock(receivedAt, report.Now, options.OldestAccepted);
        refusals.Require(report.Beats is { Count: >= 1 and <= MostBeats }, "beats", $"1 to {MostBeats} beats.");
        refusals.ThrowIfAny();

        var beats = report.Beats!.Select((beat, i) => Check(beat, $"beats[{i}]", clock, options, refusals)).ToList();
        refusals.ThrowIfAny();
        return new Delivery { ServerId = serverId, Kind = Delivery.Agent, Epoch = epoch, Clock = clock, Beats = beats! };
    }

    private static HeartbeatRow? Check(Heartbeat? beat, string path, SenderClock clock, MonitoringOptions options, Refusals refusals)
    {
        refusals.Require(beat is not null, path, "A beat is an object.");
        if (beat is null)
        {
            return null;
        }

        Common.Seq(beat.Seq, path, refusals);
        var age = clock.Age(beat.SentAt, $"{path}.sentAt", refusals);
        refusals.Text(beat.AgentVersion, 32, $"{path}.agentVersion");
        // A hundred years: an uptime beyond is no uptime.
        refusals.Number(beat.UptimeSeconds, 3_155_760_000, $"{path}.uptimeSeconds");
        refusals.Require(beat.Load is null or { Count: 3 }, $"{path}.load", "Three numbers: the load of 1, 5 and 15 minutes.");
        for (var i = 0; i < Math.Min(beat.Load?.Count ?? 0, 3); i++)
        {
            refusals.Number(beat.Load![i], 1_000_000, $"{path}.load[{i}]");
        }

        SystemRules.Check(beat, path, refusals);
        Disks(beat.Disks, path, refusals);
        Docker(beat, path, refusals);
        return new HeartbeatRow(beat, clock.Ours(age), age > options.Grace);
    }

    private static void Disks(IReadOnlyList<DiskUse?>? disks, string path, Refusals refusals)
    {
        refusals.Require(disks is null or { Count: <= 64 }, $"{path}.disks", "At most 64 disks.");
        foreach (var (disk, i) in (disks ?? []).Take(64).Select((disk, i) => (disk, i)))
        {
            var field = $"{path}.disks[{i}]";
            refusals.Require(disk is not null, field, "A disk is an object.");
            refusals.Require(disk is null || disk.Mount is { Length: >= 1 and <= 255 } mount && mount[0] == '/' && !mount.Any(c => char.IsControl(c) || char.IsSurrogate(c)),
                $"{field}.mount", "An absolute path of at most 255 characters, without control characters.");
            refusals.Amount(disk?.TotalBytes, $"{field}.totalBytes");
            refusals.Amount(disk?.UsedBytes, $"{field}.usedBytes");
            refusals.Amount(disk?.InodesTotal, $"{field}.inodesTotal");
            refusals.Amount(disk?.InodesUsed, $"{field}.inodesUsed");
        }
    }

    private static void Docker(Heartbeat beat, string path, Refusals refusals)
    {
        refusals.Require(beat.Docker is null || beat.Docker.State is "running" or "stopped" or "unknown", $"{path}.docker.state", "running, stopped or unknown.");
        refusals.Text(beat.Docker?.Version, 64, $"{path}.docker.version");
        refusals.Require(beat.Components is null or { Count: <= 16 }, $"{path}.components", "At most 16 components.");
        foreach (var (component, i) in (beat.Components ?? []).Take(16).Select((component, i) => (component, i)))
        {
            var field = $"{path}.components[{i}]";
            refusals.Require(component is not null, field, "A component is an object.");
            refusals.Require(component is null || ComponentName().IsMatch(component.Name ?? ""), $"{field}.name", "1 to 32 lower-case letters, digits and '-'.");
            refusals.Require(component is null || component.State is "running" or "stopped", $"{field}.state", "running or stopped.");
            refusals.Text(component?.Version, 64, $"{field}.version");
            refusals.Text(component?.Image, 255, $"{field}.image");
        }
    }

    [GeneratedRegex(@"\A[a-z][a-z0-9-]{0,31}\z")]
    private static partial Regex ComponentName();
}
