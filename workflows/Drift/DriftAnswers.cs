using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Drift;

/// <param name="Component">Null for all whose files differ.</param>
/// <param name="Message">Why; kept with the version.</param>
public sealed record AcceptRequest(string? Component = null, string? Message = null) : CommandsRequest;

/// <summary>What operators do about drift: look now, put back what was asked, or want what is there.</summary>
public sealed class DriftAnswers(Servers.Servers servers, Configurations configurations, ConfigurationChanges changes, DriftFindings findings, IRuns runs)
{
    private const int LargestFile = 16 * 1024 * 1024;
    private static readonly JsonDocumentOptions AsKeaReadsIt = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public async Task<ServerDrift> Of(string idOrName, CancellationToken cancellationToken = default) => await findings.Of(await servers.Get(idOrName, cancellationToken), cancellationToken);

    /// <param name="idOrName">Null for all servers.</param>
    public async Task<StartedRun> Check(string? idOrName, string who, string? idempotencyKey, CancellationToken cancellationToken = default)
    {
        var server = idOrName is null ? null : await servers.Get(idOrName, cancellationToken);
        var start = new StartRun
        {
            RequestedBy = who, DedupeKey = idempotencyKey is null ? null : RunAbout.DedupeKey(server?.Id, CheckDriftWorkflow.Kind, who, idempotencyKey),
        };
        return await runs.Start<CheckDriftWorkflow, CheckDriftInput>(new CheckDriftInput(server?.Id, server?.Name), start, cancellationToken: cancellationToken);
    }

    /// <summary>Makes what is on the host the next version, where that is possible.</summary>
    /// <exception cref="ServerConflictException">There is nothing that could be accepted, or what there is cannot be; the message says why.</exception>
    public async Task<PreparedRun> Accept(string idOrName, AcceptRequest request, string who, string? idempotencyKey, CancellationToken cancellationToken = default)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        if (await runs.StartedBefore<ApplyWorkflow>(server, who, idempotencyKey, cancellationToken) is { } before)
        {
            return PreparedRuns.Begun(server, before);
        }

        if (server.Installation == InstallationType.Manual)
        {
            throw Refused(server, $"the product has no login on its host to read what is there. Take the file from the host yourself ({server.Login.Folder}/dns/config/current/zones or {server.Login.Folder}/dhcp/config/current), "
                + $"and ask for it: msctl config apply {server.Argument} --zone NAME=FILE or --dhcp FILE");
        }

        await using var host = await servers.Connect(server.Id, cancellationToken);
        var state = await HostState.Read(host, [.. server.Components.Select(c => c.Name)], cancellationToken);
        List<(StoredConfiguration, ComponentConfiguration)> found = [];
        foreach (var (component, actual) in state.Configurations.Where(c => request.Component is null || c.Key == request.Component))
        {
            if (await configurations.Current(server.Id, component, cancellationToken) is { } wanted && await Found(host, server, wanted, actual, cancellationToken) is { } there)
            {
                found.Add((wanted, there));
            }
        }

        return found.Count > 0
            ? await changes.Accept(server, found, request.Message, request, cancellationToken)
            : throw new ServerConflictException("nothing-to-accept",
                $"The configuration files of {request.Component ?? "all components"} on {server.Name} are as they were asked for: there is nothing to accept. Other drift can only be put back: msctl drift reapply {server.Argument}");
    }

    /// <summary>What the host's files ask for; null where they are as asked.</summary>
    private static async Task<ComponentConfiguration?> Found(IHost host, Server server, StoredConfiguration wanted, ConfigurationState actual, CancellationToken cancellationToken)
    {
        var files = await wanted.Configuration.FilesFor(host, cancellationToken);
        if (actual.Digest == ComponentConfiguration.DigestOf(files))
        {
            return null;
        }

        try
        {
            return wanted.Configuration.Dns is { } dns ? await Zones(host, server, dns, files, actual, cancellationToken) : await Document(host, server, wanted.Configuration, cancellationToken);
        }
        catch (InvalidInputException e)
        {
            throw Refused(server, $"what is there is not accepted as a configuration: {e.Message}");
        }
    }

    private static async Task<ComponentConfiguration> Zones(
        IHost host, Server server, DnsConfiguration dns, SortedDictionary<string, byte[]> files, ConfigurationState actual, CancellationToken cancellationToken)
    {
        if (actual.Files!.Keys.Except(files.Keys).FirstOrDefault() is { } stranger)
        {
            throw Refused(server, $"the file {stranger} belongs to no zone that is served. Add the zone with msctl config apply");
        }

        List<ZoneRequest> zones = [];
        foreach (var zone in dns.Zones)
        {
            var name = $"zones/{KnotConfiguration.ZoneFile(ZoneName.Parse(zone.Name))}";
            zones.Add(zone.IsSecondary ? new ZoneRequest(zone.Name) : new ZoneRequest(zone.Name, Same(name) ? zone.File : Unmarked(await Text(host, server, Component.Dns, name, cancellationToken))));
        }

        foreach (var name in new[] { KnotConfiguration.FileName, KnotConfiguration.KeyFile }.Where(n => files.ContainsKey(n) && !Same(n)))
        {
            throw Refused(server, $"{name} was changed by hand, and the product writes it from what is asked for. Ask for something else with msctl config apply");
        }

        var errors = new InputErrors();
        var read = ConfigurationChecks.Zones("zones", zones, dns, errors);
        errors.ThrowIfAny();
        return ComponentConfiguration.Of(dns with { Zones = read });

        bool Same(string name) => actual.Files.TryGetValue(name, out var hash) && hash == Convert.ToHexStringLower(SHA256.HashData(files[name]));
    }

    private static string Unmarked(string file) => file.EndsWith(ComponentConfiguration.SignedMark, StringComparison.Ordinal) ? file[..^ComponentConfiguration.SignedMark.Length] : file;

    private static async Task<ComponentConfiguration> Document(IHost host, Server server, ComponentConfiguration wanted, CancellationToken cancellationToken)
    {
        var text = await Text(host, server, Component.Dhcp, KeaConfiguration.FileName, cancellationToken);
        try
        {
            using var file = JsonDocument.Parse(text, AsKeaReadsIt);
            var interfaces = (await host.Facts([], cancellationToken)).Interfaces;
            return ComponentConfiguration.Of(KeaConfiguration.OfFile(file.RootElement, KeaConfiguration.Parse(wanted.Document), interfaces));
        }
        catch (JsonException e)
        {
            throw Refused(server, $"{KeaConfiguration.FileName} is not JSON: {e.Message}");
        }
    }

    private static async Task<string> Text(IHost host, Server server, string component, string name, CancellationToken cancellationToken)
    {
        var content = await host.ReadFile($"{HostLayout.Of(host).Config(component)}/current/{name}", LargestFile, cancellationToken)
            ?? throw Refused(server, $"the file {name} of {component} is gone. If what it held is to go, say so with msctl config apply");
        try
        {
            return Strict.GetString(content);
        }
        catch (DecoderFallbackException)
        {
            throw Refused(server, $"the file {name} of {component} is not UTF-8 text");
        }
    }

    private static ServerConflictException Refused(Server server, string why) =>
        new("cannot-be-accepted", $"Nothing on {server.Name} was accepted: {why.TrimEnd('.')}; or put back what was asked for: msctl drift reapply {server.Argument}");
}
