using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;

namespace ManagedServers.Workflows.Commands;

/// <summary>Makes a run's commands from what was asked for with it, or else from what is chosen for its server. They are copied: a later change of the catalogue does not change the run.</summary>
public sealed class RequestedCommands(ServerCommands chosen, KnownSecrets secrets, Configurations configurations, ReportAddress reportAddress)
{
    private const int LongestText = 16 * 1024;
    private const int Most = 20;

    /// <param name="workflow">As operators call it: <c>install</c>.</param>
    /// <param name="components">That the run is about.</param>
    /// <param name="listen">Where DNS is to listen; null: where it listens now.</param>
    /// <returns>Null where there are none, or what was asked breaks a rule.</returns>
    internal async Task<CommandsAround?> Around(
        Server server, string workflow, CommandsRequest request, IReadOnlyList<string> components, IReadOnlyList<ListenRequest>? listen, InputErrors errors, CancellationToken cancellationToken)
    {
        await secrets.Refresh(cancellationToken);
        var before = await Side(server, CommandUse.Pre, workflow, request.PreCommands, errors, cancellationToken);
        var after = await Side(server, CommandUse.Post, workflow, request.PostCommands, errors, cancellationToken);
        return errors.None && before.Count + after.Count > 0 ? new CommandsAround(await Scene(server, workflow, components, listen, cancellationToken), before, after) : null;
    }

    /// <summary>What commands are told about a run.</summary>
    internal async Task<CommandScene> Scene(Server server, string workflow, IReadOnlyList<string> components, IReadOnlyList<ListenRequest>? listen, CancellationToken cancellationToken)
    {
        var where = !components.Contains(Component.Dns) ? [] : listen ?? (await configurations.InstalledDns(server.Id, cancellationToken))?.Listen ?? [];
        return new CommandScene(server.Id, server.Name, workflow, [.. components.Order(StringComparer.Ordinal)], where, await reportAddress.For(server, cancellationToken));
    }

    /// <summary>Commands that are asked for by themselves; of the catalogue any will do.</summary>
    internal async Task<IReadOnlyList<OperatorCommand>> ByHand(Server server, string field, IReadOnlyList<CommandRequest>? asked, InputErrors errors, CancellationToken cancellationToken)
    {
        await secrets.Refresh(cancellationToken);
        if (asked is not { Count: > 0 })
        {
            errors.Add(field, "must name at least one command");
        }

        return OfLogin(server, await Asked(field, null, asked ?? [], errors, cancellationToken), errors);
    }

    private async Task<IReadOnlyList<OperatorCommand>> Side(
        Server server, string phase, string workflow, IReadOnlyList<CommandRequest>? asked, InputErrors errors, CancellationToken cancellationToken)
    {
        var (field, use) = ($"{phase}Commands", $"{phase}-{workflow}");
        return OfLogin(server, asked is null ? await chosen.Copies(server.Id, use, field, errors, cancellationToken) : await Asked(field, use, asked, errors, cancellationToken), errors);
    }

    private static IReadOnlyList<OperatorCommand> OfLogin(Server server, IReadOnlyList<(string Place, OperatorCommand Command)> commands, InputErrors errors)
    {
        if (server.Login.Kind == LoginKind.Docker)
        {
            foreach (var (place, command) in commands.Where(c => c.Command.AsRoot))
            {
                errors.Add($"{place}.asRoot", $"must be false: user {server.SshUser} never becomes root on {server.Name}. Where '{command.Name}' needs root, run it there by hand and leave it out");
            }
        }

        return [.. commands.Select(c => c.Command)];
    }

    /// <param name="use">Null for any.</param>
    private async Task<IReadOnlyList<(string, OperatorCommand)>> Asked(string field, string? use, IReadOnlyList<CommandRequest> asked, InputErrors errors, CancellationToken cancellationToken)
    {
        if (asked.Count > Most)
        {
            errors.Add(field, $"must have at most {Most} entries");
        }

        List<(string, OperatorCommand)> commands = [];
        foreach (var (index, command) in asked.Take(Most).Index())
        {
            var place = $"{field}[{index}]";
            var found = command is { Command: null, Name: { } name }
                ? await chosen.Copy(name, use, $"{place}.name", isAsked: true, errors, cancellationToken)
                : Own(place, command, errors);
            if (found is not null)
            {
                commands.Add((place, found));
            }
        }

        return commands;
    }

    private OperatorCommand? Own(string place, CommandRequest? command, InputErrors errors)
    {
        var name = errors.Parse<DisplayName>($"{place}.name", command?.Name);
        if (string.IsNullOrWhiteSpace(command?.Command) || command.Command.Length > LongestText || command.Command.Contains('\0'))
        {
            errors.Add($"{place}.command", $"must be shell text of at most {LongestText} characters, without NUL characters");
        }
        else if (secrets.StandIn(command.Command))
        {
            errors.Add($"{place}.command", "holds a password, a key or a token that the product knows, and would be kept with the run: let the command read it from a file on the host");
        }

        if (command?.TimeoutSeconds is not (>= 1 and <= 86_400))
        {
            errors.Add($"{place}.timeoutSeconds", "must be 1 to 86400");
        }

        return name is null || command is null ? null : new OperatorCommand(name.Text, command.Command ?? "", command.TimeoutSeconds, command.Repeatable, command.AsRoot);
    }
}
