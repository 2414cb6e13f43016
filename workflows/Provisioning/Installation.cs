using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Enrolment;
using ManagedServers.Workflows.RabbitMq;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>Prepares installs: checks what was asked, which is kept as the server's wish when the run is started.</summary>
public sealed class Installation(Servers.Servers servers, ImageCatalogue images, Configurations configurations, PreparedRuns runs, ReportAddress reportAddress, RequestedCommands commands, RabbitMqSettingsStore rabbitMq)
{
    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    public async Task<PreparedRun> Prepare(string idOrName, InstallRequest request, CancellationToken cancellationToken = default)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        request = request with { Dhcp = request.Dhcp is { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } ? null : request.Dhcp };
        var errors = new InputErrors();
        var components = Components(request, errors);
        var dns = components.Contains(Component.Dns) ? await Dns(server, request, errors, cancellationToken) : null;
        var dhcp = components.Contains(Component.Dhcp) ? await Dhcp(server, request, errors, cancellationToken) : null;
        var around = await commands.Around(server, InstallWorkflow.Kind, request, components, dns?.Listen, errors, cancellationToken);
        var statistics = await Statistics(server, request, components, errors, cancellationToken);
        errors.ThrowIfAny();

        var newDns = await Version(server, dns is null ? null : ComponentConfiguration.Of(dns), cancellationToken);
        var newDhcp = await Version(server, dhcp is null ? null : ComponentConfiguration.Of(dhcp), cancellationToken);
        var input = new InstallInput
        {
            ServerId = server.Id, ServerName = server.Name, Login = server.Login.Kind,
            ApiAddress = await reportAddress.For(server, cancellationToken),
            Images = [.. components.Select(images.Get)], Commands = around, Statistics = statistics,
            Dns = newDns is null ? null : DnsInstall.Of(newDns.Id, dns!),
            Dhcp = newDhcp is null ? null : new DhcpInstall(newDhcp.Id),
        };
        var concern = new Concern(components) { Configurations = [.. new[] { newDns, newDhcp }.OfType<NewConfiguration>()] };
        return server.Installation == InstallationType.Manual
            ? runs.Prepare<ManualInstallWorkflow, InstallInput>(server, input, concern)
            : runs.Prepare<InstallWorkflow, InstallInput>(server, input, concern);
    }

    /// <summary>What is served already is no new version.</summary>
    private async Task<NewConfiguration?> Version(Server server, ComponentConfiguration? wanted, CancellationToken cancellationToken) =>
        wanted is null ? null : NewConfiguration.Of(wanted, await configurations.Current(server.Id, wanted.Component, cancellationToken), ConfigurationSource.Install, null);

    /// <returns>In the order in which they are started.</returns>
    private static string[] Components(InstallRequest request, InputErrors errors)
    {
        var asked = request.Components
            ?? (request.Dhcp is null ? [Component.Dns, Component.Monitor] : request.Zones is null ? [Component.Monitor, Component.Dhcp] : [Component.Dns, Component.Monitor, Component.Dhcp]);
        if (asked.Count == 0 || asked.Any(c => !Component.All.Contains(c)))
        {
            errors.Add("components", "must be a list of 'dns', 'dhcp' and 'monitor'");
        }
        else if (!asked.Any(Component.Serving.Contains))
        {
            errors.Add("components", "must contain 'dns' or 'dhcp': a monitor alone has nothing to count");
        }

        Unused("zones", request.Zones is not null, Component.Dns);
        Unused("keys", request.Keys is not null, Component.Dns);
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

    private async Task<StatisticsWay> Statistics(Server server, InstallRequest request, string[] components, InputErrors errors, CancellationToken cancellationToken)
    {
        const string Field = "statistics";
        var way = server.Statistics;
        if (request.Statistics is { } asked && (!Enum.GetNames<StatisticsWay>().Contains(asked, StringComparer.OrdinalIgnoreCase) || !Enum.TryParse(asked, ignoreCase: true, out way)))
        {
            errors.Add(Field, "must be 'https', 'rabbitmq' or 'pull'");
        }
        else if (way == StatisticsWay.Pull && server.Installation == InstallationType.Manual)
        {
            errors.Add(Field, $"is 'pull', for which the product needs a login on the host, and {server.Name} is installed by hand: choose https or rabbitmq");
        }
        else if (request.Statistics is not null && way != server.Statistics && server.Components.Any(c => c.Name == Component.Monitor) && !components.Contains(Component.Monitor))
        {
            errors.Add(Field, $"is another one than now, but the '{Component.Monitor}' that is installed, which sends that way, is not among the components");
        }
        // To be fetched concerns the agent, too.
        else if (request.Statistics is not null && way != StatisticsWay.Pull && server.Statistics != StatisticsWay.Pull && !components.Contains(Component.Monitor))
        {
            errors.Add(Field, $"is given, but '{Component.Monitor}' is not among the components");
        }
        else if (way == StatisticsWay.Rabbitmq && components.Contains(Component.Monitor) && !(await rabbitMq.Read(cancellationToken)).Enabled)
        {
            errors.Add(Field, "is 'rabbitmq', which is not enabled: enable it first (msctl settings rabbitmq set --enable), or install with --statistics https");
        }

        return way;
    }

    private async Task<DnsConfiguration> Dns(Server server, InstallRequest request, InputErrors errors, CancellationToken cancellationToken)
    {
        var current = await configurations.InstalledDns(server.Id, cancellationToken);
        var asServed = request.Zones is null ? current : null;
        var zones = asServed?.Zones ?? ConfigurationChecks.Zones("zones", request.Zones ?? [], current, errors);
        var listen = ConfigurationChecks.Listen(request.Listen ?? asServed?.Listen ?? [new ListenRequest("0.0.0.0")], errors);
        if (!request.DropZones && errors.None && current is not null)
        {
            ConfigurationChecks.KeepsZones("zones", server.Name, current, zones, errors);
        }

        if (!request.DropDnssec && errors.None && current is not null)
        {
            ConfigurationChecks.KeepsDnssec("zones", server.Name, current, zones, errors);
        }

        return new DnsConfiguration { Zones = zones, Listen = listen, Keys = ConfigurationChecks.Keys(request.Keys, zones, current, errors) };
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
                ConfigurationChecks.KeepsSubnets("dhcp", server.Name, current.Subnets, wanted.Subnets, errors);
            }

            return wanted;
        }
        catch (InvalidInputException e)
        {
            errors.Add(e);
            return null;
        }
    }
}
