using System.Security.Cryptography;
using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Enrolment;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Provisioning.Steps;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Drift;

/// <summary>Compares a host with what its server was asked to be.</summary>
public sealed class DriftLook(Servers.Servers servers, Configurations configurations, DriftFindings findings, HostStates reported, HostOrders orders, IRuns runs)
{
    // What somebody has done to ten thousand zones is told by some of them.
    private const int MostFindings = 100;

    /// <summary>Looks, and keeps what was found. In words, for the log of the sweep.</summary>
    internal async Task<DriftOutcome> At(Server server, CancellationToken cancellationToken)
    {
        // A run that is at work changes the host: what is seen then is neither as it was nor as it will be.
        if (await Busy(server, cancellationToken) is { } busy)
        {
            if (busy.State != RunState.Paused)
            {
                return new DriftOutcome(server.Name, null, $"not looked at: run {busy.Id} is at work there");
            }

            // It may be for days: nobody should think that all is well meanwhile.
            var paused = $"run {busy.Id} is paused there, and what it has left half-way is no drift. Let it go on or cancel it: msctl runs show {busy.Id}";
            await findings.KeepProblem(server.Id, paused, cancellationToken);
            return new DriftOutcome(server.Name, null, $"not looked at: {paused}");
        }

        List<DriftFinding> found;
        try
        {
            if (server.Installation == InstallationType.Automatic)
            {
                await using var host = await servers.Connect(server.Id, cancellationToken);
                found = await Find(server, host, cancellationToken);
            }
            else if (await reported.Of(server, cancellationToken) is { } state)
            {
                found = await Find(server, state, OfReport, cancellationToken);
            }
            else
            {
                return new DriftOutcome(server.Name, null, "not looked at: the host has not said yet what runs there since a run has ended; it says it every minute");
            }
        }
        catch (Exception e) when (e is IHostProblem or JsonException)
        {
            await findings.KeepProblem(server.Id, e.Message, cancellationToken);
            return new DriftOutcome(server.Name, null, e.Message);
        }

        var now = await servers.Get(server.Id.ToString(), cancellationToken);
        if (now.LastRunId != server.LastRunId || await Busy(server, cancellationToken) is not null)
        {
            return new DriftOutcome(server.Name, null, "not looked at: a run has begun there meanwhile");
        }

        await findings.Keep(server.Id, [.. found.Take(MostFindings)], cancellationToken);
        return new DriftOutcome(server.Name, found.Count, found.Count == 0 ? "as asked" : string.Join(" ", found.Take(10).Select(f => f.What)));
    }

    private async Task<RunSummary?> Busy(Server server, CancellationToken cancellationToken)
    {
        var active = await runs.List(new RunFilter { Subject = server.Subject, States = [RunState.Queued, RunState.Running, RunState.Waiting, RunState.Paused] }, cancellationToken);
        // One that waits until somebody runs the line may wait for weeks, and changes nothing before.
        return server.Installation == InstallationType.Automatic ? active is [var run, ..] ? run : null
            : await orders.Begun([.. active.Select(r => r.Id)], cancellationToken) is { } begun ? active.Single(r => r.Id == begun) : null;
    }

    private async Task<List<DriftFinding>> Find(Server server, IHost host, CancellationToken cancellationToken) => await Find(
        server, await HostState.Read(host, [.. server.Components.Select(c => c.Name)], cancellationToken),
        async (installed, wanted) =>
        {
            var files = await wanted.FilesFor(host, cancellationToken);
            return (installed.ConfigurationDigest ?? ComponentConfiguration.DigestOf(files), files.ToDictionary(f => f.Key, f => (string?)Hash(f.Value)));
        }, cancellationToken);

    /// <summary>What nobody can know without asking the host is not compared: a file that depends on its interfaces, and a configuration that an earlier release has ordered.</summary>
    private static Task<(string?, Dictionary<string, string?>)> OfReport(InstalledComponent installed, ComponentConfiguration wanted) => Task.FromResult(
        (installed.ConfigurationDigest, wanted.For([]).Files.ToDictionary(f => f.Key, f => wanted.NeedsInterfaces ? null : Hash(f.Value))));

    private async Task<List<DriftFinding>> Find(
        Server server, HostState state, Func<InstalledComponent, ComponentConfiguration, Task<(string? Digest, Dictionary<string, string?> Files)>> asked, CancellationToken cancellationToken)
    {
        if (state.DockerProblem is { } problem)
        {
            throw new HostUnavailableException(HostProblem.DockerNotRunning, $"Docker on the host of {server.Name} does not tell which containers there are: {problem}");
        }

        List<DriftFinding> found = [];
        foreach (var installed in server.Components)
        {
            found.AddRange(Containers(installed, state.Containers.GetValueOrDefault(Component.ContainerName(installed.Name))));
            if (await configurations.Current(server.Id, installed.Name, cancellationToken) is not { } wanted || !state.Configurations.TryGetValue(installed.Name, out var actual))
            {
                continue;
            }

            if (await asked(installed, wanted.Configuration) is not ({ } digest, var files))
            {
                continue;
            }

            found.AddRange(Files(installed.Name, wanted.Version.Version, digest, files, actual));
            found.AddRange(installed.Name == Component.Dns ? Knot(wanted.Configuration.Dns!, state.Serials) : Kea(state, actual.Digest == digest));
        }

        return found;
    }

    private static IEnumerable<DriftFinding> Containers(InstalledComponent installed, ContainerState? container)
    {
        var (component, name) = (installed.Name, Component.ContainerName(installed.Name));
        DriftFinding Finding(DriftKind kind, string what) => new(component, kind, name, what);
        if (container is null)
        {
            yield return Finding(DriftKind.Container, $"The container {name} is gone: somebody has removed it.");
            yield break;
        }

        if (container.Image != installed.Image)
        {
            yield return Finding(DriftKind.Image, $"The container {name} is of {container.Image}, and {installed.Image} was installed.");
        }
        else if (installed.Specification is { } specification && container.Labels.GetValueOrDefault(ContainerSpecification.SpecLabel) != specification)
        {
            yield return Finding(DriftKind.Specification, $"The container {name} was made with other settings than the product's.");
        }

        if (installed.StoppedBy is null && container.Status != "running")
        {
            yield return Finding(DriftKind.Stopped, $"The container {name} is {container.Status}, and nobody has stopped it through the product.");
        }
        else if (installed.StoppedBy is { } run && container.Status == "running")
        {
            yield return Finding(DriftKind.Running, $"The container {name} runs, and run {run} has stopped it.");
        }
    }

    private static IEnumerable<DriftFinding> Files(string component, int version, string digest, Dictionary<string, string?> wanted, ConfigurationState actual)
    {
        if (actual.Current != digest)
        {
            yield return new(component, DriftKind.Current, "current", $"The current configuration of {component} is {actual.Current ?? "none"} and not {digest}, which is version {version}.");
        }

        foreach (var (name, target) in actual.Links.Where(l => l.Value != $"current/{l.Key}"))
        {
            yield return new(component, DriftKind.Current, name, $"{name} in the configuration folder of {component} is {target ?? "gone"} and not the link to current/{name}.");
        }

        if (actual.Digest == digest)
        {
            yield break;
        }

        if (actual.Files is null)
        {
            // Where another configuration is the current one, that is told already.
            if (actual.Digest is null)
            {
                yield return new(component, DriftKind.File, "current", $"The files of {component} are not as version {version} has them: there are too many of them to tell which.");
            }

            yield break;
        }

        foreach (var (name, asked) in wanted.OrderBy(f => f.Key, StringComparer.Ordinal))
        {
            if (!actual.Files.TryGetValue(name, out var hash))
            {
                yield return new(component, DriftKind.File, name, $"The file {name} of {component} is gone.");
            }
            else if (asked is null ? actual.Files.Count == 1 : hash != asked)
            {
                yield return new(component, DriftKind.File, name, $"The file {name} of {component} is not as version {version} has it: it was changed by hand.");
            }
        }

        foreach (var name in actual.Files.Keys.Except(wanted.Keys))
        {
            yield return new(component, DriftKind.File, name, $"The file {name} of {component} is not the product's: somebody has put it there.");
        }
    }

    private static IEnumerable<DriftFinding> Knot(DnsConfiguration wanted, IReadOnlyDictionary<string, long>? serials)
    {
        if (serials is null)
        {
            yield break;
        }

        foreach (var zone in wanted.Zones)
        {
            if (!serials.TryGetValue(zone.Name!, out var serial))
            {
                yield return new(Component.Dns, DriftKind.Served, zone.Name!, zone.IsSecondary ? $"Knot serves nothing of {zone.Name}: it has not come from {string.Join(" or ", zone.Primaries.Select(p => p.Address))} yet, or has expired. Its log says why: docker logs {Component.ContainerName(Component.Dns)}" : $"Knot does not serve {zone.Name}.");
            }
            else if (zone.HasOwnSerial && ZoneFileSerial.Of(zone.File!) is { } asked && asked != serial)
            {
                yield return new(Component.Dns, DriftKind.Served, zone.Name!, $"Knot serves {zone.Name} with serial {serial}, and {asked} was asked for.");
            }
        }

        foreach (var zone in serials.Keys.Except(wanted.Zones.Select(z => z.Name!)))
        {
            yield return new(Component.Dns, DriftKind.Served, zone, $"Knot serves {zone}, which nobody has asked for.");
        }
    }

    private static IEnumerable<DriftFinding> Kea(HostState state, bool fileIsAsked)
    {
        var (running, file) = (Mark(state.RunningMark), Mark(state.FileMark));
        if (running is not null && fileIsAsked && running != file)
        {
            yield return new(Component.Dhcp, DriftKind.Served, Component.Dhcp, $"Kea runs with configuration {running}, and {file} was asked for: somebody has changed it through its control socket, or it was not reloaded.");
        }
    }

    private static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private static string? Mark(JsonElement? context) => context is { ValueKind: JsonValueKind.Object } found ? KeaConfiguration.MarkInContext(found) ?? "not of the product" : null;
}

/// <param name="Findings">Null when the host could not be looked at.</param>
internal sealed record DriftOutcome(string Server, int? Findings, string What);
