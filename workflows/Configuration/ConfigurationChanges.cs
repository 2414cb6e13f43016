using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Enrolment;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Provisioning.Steps;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Configuration;

/// <summary>Prepares runs that bring another configuration to a server: checks what was asked, which is kept as a new version when the run is started.</summary>
public sealed class ConfigurationChanges(Servers.Servers servers, ImageCatalogue images, Configurations configurations, IRuns runs, PreparedRuns prepared, ReportAddress reportAddress, RequestedCommands commands)
{
    private const int LongestMessage = 500;

    /// <exception cref="InvalidInputException">A field breaks its rule; nothing was started.</exception>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    /// <exception cref="ServerConflictException">A component is not installed, or a newer version than the named one is served.</exception>
    public async Task<PreparedRun> Apply(string idOrName, ApplyRequest request, string who, string? idempotencyKey, CancellationToken cancellationToken = default)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        if (await StartedBefore(server, who, idempotencyKey, cancellationToken) is { } before)
        {
            return PreparedRuns.Begun(server, before);
        }

        request = request with { Dhcp = request.Dhcp is { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } ? null : request.Dhcp };
        var errors = new InputErrors();
        var message = Message(request.Message, errors);
        List<Change> changes = [];
        if (request.Zones is not null || request.SetZones is not null || request.RemoveZones is not null || request.Listen is not null || request.Keys is not null)
        {
            var served = await Served(server, Component.Dns, request.BasedOn?.Dns, cancellationToken);
            changes.Add(new Change(served, Dns(server, served.Configuration.Dns!, request, errors)));
        }

        if (request.Dhcp is { } document)
        {
            var served = await Served(server, Component.Dhcp, request.BasedOn?.Dhcp, cancellationToken);
            changes.Add(new Change(served, Dhcp(server, served.Configuration, document, request.DropSubnets, errors)));
        }

        if (changes.Count == 0)
        {
            errors.Add("zones", "is needed, or setZones, removeZones, keys, listen or dhcp: nothing was asked for");
        }

        errors.ThrowIfAny();
        return await Prepare(server, changes, ConfigurationSource.Apply, message, request, cancellationToken);
    }

    /// <summary>Makes a new version that equals an older one, and applies it.</summary>
    /// <inheritdoc cref="Apply"/>
    /// <exception cref="ConfigurationNotFoundException">There is no such version.</exception>
    public async Task<PreparedRun> Restore(string idOrName, string component, int version, RestoreRequest request, string who, string? idempotencyKey, CancellationToken cancellationToken = default)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        if (await StartedBefore(server, who, idempotencyKey, cancellationToken) is { } before)
        {
            return PreparedRuns.Begun(server, before);
        }

        var errors = new InputErrors();
        var message = Message(request.Message, errors) ?? $"as in version {version}";
        var served = await Served(server, component, request.BasedOn, cancellationToken);
        var wanted = (await configurations.Version(server, component, version, cancellationToken)).Configuration;
        if (wanted.Dns is { } dns && !request.DropZones)
        {
            ConfigurationChecks.KeepsZones("version", server.Name, served.Configuration.Dns!, dns.Zones, errors);
        }

        if (wanted.Dns is { } signed && !request.DropDnssec)
        {
            ConfigurationChecks.KeepsDnssec("version", server.Name, served.Configuration.Dns!, signed.Zones, errors);
        }

        if (wanted.Subnets is { } subnets && !request.DropSubnets)
        {
            ConfigurationChecks.KeepsSubnets("version", server.Name, served.Configuration.Subnets!, subnets, errors);
        }

        errors.ThrowIfAny();
        return await Prepare(server, [new Change(served, wanted)], ConfigurationSource.Restore, message, request, cancellationToken);
    }

    /// <summary>Puts back what was asked for: files, images, containers, and what runs.</summary>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    /// <exception cref="ServerConflictException">Nothing is installed on it.</exception>
    public async Task<PreparedRun> Reapply(string idOrName, CommandsRequest asked, CancellationToken cancellationToken = default)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        List<StoredConfiguration> served = [];
        foreach (var component in server.Components.Select(c => c.Name).Where(Component.Serving.Contains))
        {
            served.Add(await Served(server, component, null, cancellationToken));
        }

        if (served.Count == 0)
        {
            throw new ServerConflictException("nothing-installed", $"Nothing that serves is installed on {server.Name}. Install something first.");
        }

        var around = await Around(server, asked, [.. served.Select(s => s.Configuration)], cancellationToken);
        if (server.Installation == InstallationType.Manual)
        {
            return await ByHand(server, [], new AppliedByHand([.. served.Select(s => s.Configuration.Component)], Again: true), around, cancellationToken);
        }

        var dns = served.Find(s => s.Configuration.Dns is not null);
        var input = new ApplyInput
        {
            ServerId = server.Id, ServerName = server.Name, Again = true, Commands = around,
            Configurations = [.. served.Select(s => Applied(server, s.Configuration, s.Version.Id, s.Version.Id))],
            Monitor = server.Components.Any(c => c is { Name: Component.Monitor, StoppedBy: null })
                ? new MonitorInput(server.Id, Image(server, Component.Monitor), await reportAddress.For(server, cancellationToken), dns?.Version.Id, server.Statistics) : null,
        };
        return prepared.Prepare<ApplyWorkflow, ApplyInput>(server, input, new Concern([.. served.Select(s => s.Configuration.Component)]));
    }

    /// <summary>Makes what was found on the host the next version.</summary>
    internal Task<PreparedRun> Accept(
        Server server, IReadOnlyList<(StoredConfiguration Served, ComponentConfiguration Found)> found, string? message, CommandsRequest asked, CancellationToken cancellationToken)
    {
        var errors = new InputErrors();
        var why = Message(message, errors) ?? "found on the host";
        errors.ThrowIfAny();
        return Prepare(server, [.. found.Select(f => new Change(f.Served, f.Found))], ConfigurationSource.Accept, why, asked, cancellationToken);
    }

    private Task<StartedRun?> StartedBefore(Server server, string who, string? idempotencyKey, CancellationToken cancellationToken) => server.Installation == InstallationType.Manual
        ? runs.StartedBefore<ManualInstallWorkflow>(server, who, idempotencyKey, cancellationToken)
        : runs.StartedBefore<ApplyWorkflow>(server, who, idempotencyKey, cancellationToken);

    private async Task<PreparedRun> Prepare(
        Server server, IReadOnlyList<Change> changes, ConfigurationSource source, string? message, CommandsRequest asked, CancellationToken cancellationToken)
    {
        var around = await Around(server, asked, [.. changes.Select(c => c.Wanted!)], cancellationToken);
        var made = changes.Select(c => (c.Served, New: NewConfiguration.Of(c.Wanted!, c.Served, source, message))).ToList();
        if (server.Installation == InstallationType.Manual)
        {
            return await ByHand(server, [.. made.Select(m => m.New)], new AppliedByHand([.. made.Select(m => m.New.Configuration.Component)], Again: false), around, cancellationToken);
        }

        var input = new ApplyInput
        {
            ServerId = server.Id, ServerName = server.Name,
            Configurations = [.. made.Select(m => Applied(server, m.New.Configuration, m.New.Id, m.Served.Version.Id))],
            Monitor = await Monitor(server, made.Find(m => m.New.Configuration.Dns is not null), cancellationToken), Commands = around,
        };
        return prepared.Prepare<ApplyWorkflow, ApplyInput>(
            server, input, new Concern([.. made.Select(m => m.New.Configuration.Component)]) { Configurations = [.. made.Select(m => m.New)] });
    }

    /// <summary>Where the product has no login, the host is asked for all that it is to have, of which the rest is there.</summary>
    private async Task<PreparedRun> ByHand(Server server, IReadOnlyList<NewConfiguration> changed, AppliedByHand applied, CommandsAround? around, CancellationToken cancellationToken)
    {
        List<string> components = [.. Component.All.Where(c => server.Components.Any(i => i.Name == c))];
        var wanted = changed.ToDictionary(n => n.Configuration.Component, n => (n.Id, n.Configuration));
        foreach (var component in components.Where(Component.Serving.Contains).Where(c => !wanted.ContainsKey(c)))
        {
            var served = await Served(server, component, null, cancellationToken);
            wanted[component] = (served.Version.Id, served.Configuration);
        }

        var input = new InstallInput
        {
            ServerId = server.Id, ServerName = server.Name, Login = server.Login.Kind, ApiAddress = await reportAddress.For(server, cancellationToken),
            Images = [.. components.Select(images.Get)], Commands = around, Applied = applied, Statistics = server.Statistics,
            Dns = wanted.TryGetValue(Component.Dns, out var dns) ? DnsInstall.Of(dns.Id, dns.Configuration.Dns!) : null,
            Dhcp = wanted.TryGetValue(Component.Dhcp, out var dhcp) ? new DhcpInstall(dhcp.Id) : null,
        };
        return prepared.Prepare<ManualInstallWorkflow, InstallInput>(server, input, new Concern(components) { Configurations = changed });
    }

    private async Task<CommandsAround?> Around(Server server, CommandsRequest asked, IReadOnlyList<ComponentConfiguration> wanted, CancellationToken cancellationToken)
    {
        var errors = new InputErrors();
        // Nobody need ask a DNS that was stopped, and stays so.
        var listen = wanted.Where(c => server.Components.Single(i => i.Name == c.Component).StoppedBy is null).Select(c => c.Dns?.Listen).FirstOrDefault(l => l is not null) ?? [];
        var around = await commands.Around(server, ApplyWorkflow.Kind, asked, [.. wanted.Select(c => c.Component)], listen, errors, cancellationToken);
        errors.ThrowIfAny();
        return around;
    }

    private async Task<MonitorInput?> Monitor(Server server, (StoredConfiguration Served, NewConfiguration New) dns, CancellationToken cancellationToken)
    {
        var renamed = dns.Served is { } served && !served.Configuration.Dns!.Zones.Select(z => z.Name).ToHashSet().SetEquals(dns.New.Configuration.Dns!.Zones.Select(z => z.Name));
        return renamed && server.Components.Any(c => c is { Name: Component.Monitor, StoppedBy: null })
            ? new MonitorInput(server.Id, Image(server, Component.Monitor), await reportAddress.For(server, cancellationToken), dns.New.Id, server.Statistics) : null;
    }

    private AppliedConfiguration Applied(Server server, ComponentConfiguration configuration, Guid id, Guid basedOn) => new(configuration.Component, id, basedOn, Image(server, configuration.Component),
        configuration.Dns?.Listen ?? [], server.Components.Single(c => c.Name == configuration.Component).StoppedBy is not null);

    /// <summary>What the component runs, which need not be what an install would put there today.</summary>
    private CatalogueImage Image(Server server, string component)
    {
        var installed = server.Components.Single(c => c.Name == component);
        if (images.Find(component) is { } today && today.Image == installed.Image)
        {
            return today;
        }

        var digest = installed.Digest
            ?? throw new ServerConflictException("installed-before", $"{component} on {server.Name} was installed by an earlier release, with another image than today's. Install it again once; then its configuration can be changed by itself.");
        return new CatalogueImage(component, installed.Version, installed.Image, digest, "", 0);
    }

    /// <summary>What is served, if it is what the operator has looked at.</summary>
    private async Task<StoredConfiguration> Served(Server server, string component, int? basedOn, CancellationToken cancellationToken)
    {
        var served = await configurations.Current(server.Id, component, cancellationToken)
            ?? throw new ServerConflictException("not-installed", $"{component} is not installed on {server.Name}. Install it with what it is to serve: msctl servers install {server.Argument}");
        return basedOn is null || basedOn == served.Version.Version ? served : throw new ServerConflictException("newer-version",
            $"{component} on {server.Name} serves {served.Version.InWords()}, and the change was based on version {basedOn}. Look at what is different (msctl config diff {server.Argument} {component} {basedOn} {served.Version.Version}), and base the change on {served.Version.Version}.");
    }

    private static ComponentConfiguration? Dns(Server server, DnsConfiguration served, ApplyRequest request, InputErrors errors)
    {
        if (request.Zones is not null && (request.SetZones is not null || request.RemoveZones is not null))
        {
            errors.Add("zones", "are all that there are to be: leave out setZones and removeZones, which change single ones");
        }

        var zones = request.Zones is { } all ? ConfigurationChecks.Zones("zones", all, served, errors) : Changed(served, request, errors);
        var listen = request.Listen is { } asked ? ConfigurationChecks.Listen(asked, errors) : served.Listen;
        if (request is { Zones: not null, DropZones: false } && errors.None)
        {
            ConfigurationChecks.KeepsZones("zones", server.Name, served, zones, errors);
        }

        if (!request.DropDnssec && errors.None)
        {
            ConfigurationChecks.KeepsDnssec(request.Zones is not null ? "zones" : request.SetZones is null ? "removeZones" : "setZones", server.Name, served, zones, errors);
        }

        var keys = ConfigurationChecks.Keys(request.Keys, zones, served, errors);
        return errors.None ? ComponentConfiguration.Of(new DnsConfiguration { Zones = zones, Listen = listen, Keys = keys }) : null;
    }

    private static IReadOnlyList<Zone> Changed(DnsConfiguration served, ApplyRequest request, InputErrors errors)
    {
        var set = request.SetZones is { } given ? ConfigurationChecks.Zones("setZones", given, served, errors) : [];
        var removed = new HashSet<string>();
        foreach (var (index, name) in (request.RemoveZones ?? []).Index())
        {
            if (!ZoneName.TryParse(name, out var zone, out var rule))
            {
                errors.Add($"removeZones[{index}]", rule);
            }
            else if (!served.Zones.Any(z => z.Name == zone.Value) || set.Any(z => z.Name == zone.Value) || !removed.Add(zone.Value))
            {
                errors.Add($"removeZones[{index}]", $"must be a zone that is served and not named otherwise: {zone}");
            }
        }

        List<Zone> zones = [.. served.Zones.Where(z => !removed.Contains(z.Name)).ExceptBy(set.Select(z => z.Name), z => z.Name), .. set];
        ConfigurationChecks.Count("removeZones", zones.Count, errors);
        return zones;
    }

    private static ComponentConfiguration? Dhcp(Server server, ComponentConfiguration served, JsonElement document, bool dropSubnets, InputErrors errors)
    {
        try
        {
            var wanted = ComponentConfiguration.Of(KeaConfiguration.Parse(document));
            if (!dropSubnets)
            {
                ConfigurationChecks.KeepsSubnets("dhcp", server.Name, served.Subnets!, wanted.Subnets!, errors);
            }

            return wanted;
        }
        catch (InvalidInputException e)
        {
            errors.Add(e);
            return null;
        }
    }

    private static string? Message(string? message, InputErrors errors)
    {
        if (message?.Length > LongestMessage)
        {
            errors.Add("message", $"must have at most {LongestMessage} characters");
        }

        return string.IsNullOrWhiteSpace(message) ? null : message.Trim();
    }

    private sealed record Change(StoredConfiguration Served, ComponentConfiguration? Wanted);
}
