using System.Text;
using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Enrolment;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;
using Npgsql;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>Starts installs: checks what was asked, keeps it as the server's wish, and hands it to the engine in one transaction.</summary>
public sealed class Installation(Servers.Servers servers, ImageCatalogue images, Configurations configurations, IRuns runs, KnownSecrets secrets, ReportAddress reportAddress)
{
    private const int MostZones = 10_000;
    private const int LongestZoneFile = 8 * 1024 * 1024;
    private const int LongestCommand = 16 * 1024;
    private const int MostCommands = 20;

    /// <exception cref="InvalidInputException">A field breaks its rule; nothing was started.</exception>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    public async Task<StartedRun> Start(string idOrName, InstallRequest request, string who, string? idempotencyKey, CancellationToken cancellationToken = default)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        request = request with { Dhcp = request.Dhcp is { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } ? null : request.Dhcp };
        var errors = new InputErrors();
        var components = Components(request, errors);
        var dns = components.Contains(Component.Dns) ? await Dns(server, request, errors, cancellationToken) : null;
        var dhcp = components.Contains(Component.Dhcp) ? await Dhcp(server, request, errors, cancellationToken) : null;
        await secrets.Refresh(cancellationToken);
        var pre = Commands("preCommands", request.PreCommands ?? [], errors);
        var post = Commands("postCommands", request.PostCommands ?? [], errors);
        errors.ThrowIfAny();

        var input = new InstallInput
        {
            ServerId = server.Id, ServerName = server.Name,
            ApiAddress = await reportAddress.For(server, cancellationToken),
            Images = [.. components.Select(images.Get)], PreCommands = pre, PostCommands = post,
            Dns = dns is null ? null : new DnsInstall(Guid.CreateVersion7(), [.. dns.Zones.Select(z => z.Name!)], dns.Listen),
            Dhcp = dhcp is null ? null : new DhcpInstall(Guid.CreateVersion7()),
        };
        return await (server.Installation == InstallationType.Manual
            ? runs.StartAbout<ManualInstallWorkflow, InstallInput>(server, input, who, idempotencyKey, Save, cancellationToken)
            : runs.StartAbout<InstallWorkflow, InstallInput>(server, input, who, idempotencyKey, Save, cancellationToken));

        async Task Save(NpgsqlTransaction transaction)
        {
            if (input.Dns is { } withDns)
            {
                await Configurations.Save(transaction, server.Id, withDns.ConfigurationId, ComponentConfiguration.Of(dns!), who);
            }

            if (input.Dhcp is { } withDhcp)
            {
                await Configurations.Save(transaction, server.Id, withDhcp.ConfigurationId, ComponentConfiguration.Of(dhcp!), who);
            }
        }
    }

    /// <returns>In the order in which they are started.</returns>
    private static string[] Components(InstallRequest request, InputErrors errors)
    {
        var asked = request.Components
            ?? (request.Dhcp is null ? [Component.Dns, Component.Monitor] : request.Zones is null ? [Component.Dhcp] : [Component.Dns, Component.Monitor, Component.Dhcp]);
        if (asked.Count == 0 || asked.Any(c => !Component.All.Contains(c)))
        {
            errors.Add("components", "must be a list of 'dns', 'dhcp' and 'monitor'");
        }
        else if (asked.Contains(Component.Monitor) && !asked.Contains(Component.Dns))
        {
            errors.Add("components", "must contain 'dns' where it contains 'monitor': that counts what DNS is asked");
        }

        Unused("zones", request.Zones is not null, Component.Dns);
        Unused("listen", request.Listen is not null, Component.Dns);
        Unused("dhcp", request.Dhcp is not null, Component.Dhcp);
        return [.. Component.All.Where(asked.Contains)];

        void Unused(string field, bool given, string component)
        {
            if (given && !asked.Contains(component))
            {
                errors.Add(field, $"is given, but '{component}' is not among the components");
            }
        }
    }

    private async Task<DnsConfiguration> Dns(Server server, InstallRequest request, InputErrors errors, CancellationToken cancellationToken)
    {
        var zones = Zones(request.Zones ?? [], errors);
        var listen = Listen(request.Listen ?? [new ListenRequest("0.0.0.0")], errors);
        if (!request.DropZones && errors.None && await configurations.InstalledDns(server.Id, cancellationToken) is { } current)
        {
            Keeps("zones", server, [.. current.Zones.Select(z => z.Name!).Except(zones.Select(z => z.Name!))], "Give their zone files too, or say that they may go: dropZones (msctl: --drop-zones)", errors);
        }

        return new DnsConfiguration { Zones = zones, Listen = listen };
    }

    private async Task<KeaConfiguration?> Dhcp(Server server, InstallRequest request, InputErrors errors, CancellationToken cancellationToken)
    {
        var current = await configurations.InstalledDhcp(server.Id, cancellationToken);
        if (request.Dhcp is not { } given)
        {
            if (current is null)
            {
                errors.Add("dhcp", "must be Kea's Dhcp4 document, with the subnets to serve");
            }

            return current;
        }

        try
        {
            var wanted = KeaConfiguration.Parse(given);
            if (!request.DropSubnets && current is not null)
            {
                Keeps("dhcp", server, [.. current.Subnets.Except(wanted.Subnets)], "Put them into the document too, or say that they may go: dropSubnets (msctl: --drop-subnets)", errors);
            }

            return wanted;
        }
        catch (InvalidInputException e)
        {
            errors.Add(e);
            return null;
        }
    }

    private static void Keeps(string field, Server server, List<string> dropped, string how, InputErrors errors)
    {
        if (dropped.Count > 0)
        {
            errors.Add(field, $"would no longer serve {string.Join(", ", dropped.Take(10))}{(dropped.Count > 10 ? $" and {dropped.Count - 10} more" : "")}, which {server.Name} serves now. {how}");
        }
    }

    private static ZoneRequest[] Zones(IReadOnlyList<ZoneRequest> asked, InputErrors errors)
    {
        if (asked.Count is 0 or > MostZones)
        {
            errors.Add("zones", $"must name 1 to {MostZones} zones: a DNS server without one serves nobody");
        }

        var names = new HashSet<string>();
        List<ZoneRequest> zones = [];
        foreach (var (index, zone) in asked.Take(MostZones).Index())
        {
            if (!ZoneName.TryParse(zone?.Name, out var name, out var rule))
            {
                errors.Add($"zones[{index}].name", rule);
            }
            else if (!names.Add(name.Value))
            {
                errors.Add($"zones[{index}].name", $"is given twice: {name}");
            }
            else if (string.IsNullOrWhiteSpace(zone!.File) || Encoding.UTF8.GetByteCount(zone.File) > LongestZoneFile || zone.File.Contains('\0'))
            {
                errors.Add($"zones[{index}].file", $"must be the text of a zone file, at most {LongestZoneFile / 1024 / 1024} MiB, without NUL characters");
            }
            else if (Including(zone.File) is { } line)
            {
                errors.Add($"zones[{index}].file", $"must hold all of the zone, and line {line} includes another file ($INCLUDE): put its records there");
            }
            else
            {
                zones.Add(new ZoneRequest(name.Value, zone.File));
            }
        }

        return [.. zones];
    }

    /// <summary>The first line with which Knot would read a file of its own container into the zone. Lines as they are written to the host.</summary>
    private static int? Including(string zone)
    {
        var number = 0;
        foreach (var line in zone.EnumerateLines())
        {
            number++;
            if (line.TrimStart().StartsWith("$INCLUDE", StringComparison.OrdinalIgnoreCase))
            {
                return number;
            }
        }

        return null;
    }

    private static ListenRequest[] Listen(IReadOnlyList<ListenRequest> asked, InputErrors errors)
    {
        if (asked.Count is 0 or > 64)
        {
            errors.Add("listen", "must name 1 to 64 addresses");
        }

        foreach (var (index, listen) in asked.Take(64).Index())
        {
            try
            {
                ListenAddress.Parse(listen?.Address, listen?.Port ?? 0, $"listen[{index}]");
            }
            catch (InvalidInputException e)
            {
                errors.Add(e);
            }
        }

        return [.. asked];
    }

    private OperatorCommand[] Commands(string field, IReadOnlyList<CommandRequest> asked, InputErrors errors)
    {
        if (asked.Count > MostCommands)
        {
            errors.Add(field, $"must have at most {MostCommands} entries");
        }

        List<OperatorCommand> commands = [];
        foreach (var (index, command) in asked.Take(MostCommands).Index())
        {
            var name = errors.Parse<DisplayName>($"{field}[{index}].name", command?.Name);
            if (string.IsNullOrWhiteSpace(command?.Command) || command.Command.Length > LongestCommand || command.Command.Contains('\0'))
            {
                errors.Add($"{field}[{index}].command", $"must be shell text of at most {LongestCommand} characters, without NUL characters");
            }

            else if (secrets.StandIn(command.Command))
            {
                errors.Add($"{field}[{index}].command", "holds a password, a key or a token that the product knows, and would be kept with the run: let the command read it from a file on the host");
            }

            if (command?.TimeoutSeconds is not (>= 1 and <= 86_400))
            {
                errors.Add($"{field}[{index}].timeoutSeconds", "must be 1 to 86400");
            }

            if (name is not null && command is not null)
            {
                commands.Add(new OperatorCommand(name.Text, command.Command ?? "", command.TimeoutSeconds, command.Repeatable));
            }
        }

        return [.. commands];
    }
}

/// <summary>An operator's own command, checked.</summary>
public sealed record OperatorCommand(string Name, string Text, int TimeoutSeconds, bool Repeatable);
