using Dapper;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Servers;
using Npgsql;

namespace ManagedServers.Workflows.Commands;

/// <summary>Which commands are run around what is done to a server, and their texts for one run.</summary>
public sealed class ServerCommands(NpgsqlDataSource database, CommandCatalogue catalogue, Servers.Servers servers)
{
    private const int Most = 20;

    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    public async Task<ChosenCommands> Chosen(string idOrName, CancellationToken cancellationToken = default) =>
        await Chosen((await servers.Get(idOrName, cancellationToken)).Id, cancellationToken);

    /// <summary>Keeps which commands are run for a server from its next run on; null leaves a side as it is.</summary>
    /// <exception cref="InvalidInputException">A command is not there, or not meant for before or after anything.</exception>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    public async Task<PreparedChange<ChosenCommands>> Choose(string idOrName, ChosenCommands chosen, string who, CancellationToken cancellationToken = default)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        var errors = new InputErrors();
        var pre = await Names(server, "preCommands", chosen.PreCommands, CommandUse.Pre, errors, cancellationToken);
        var post = await Names(server, "postCommands", chosen.PostCommands, CommandUse.Post, errors, cancellationToken);
        errors.ThrowIfAny();

        var before = await Chosen(server.Id, cancellationToken);
        var changes = StoredChange.Of(
            new StoredChange("pre-commands", Words(before.PreCommands!), Words(pre ?? before.PreCommands!)), new StoredChange("post-commands", Words(before.PostCommands!), Words(post ?? before.PostCommands!)));
        return new PreparedChange<ChosenCommands>($"choose the commands that are run around changes of {server.Name}", changes, ct => Keep(server.Id, pre, post, who, ct))
        {
            Servers = [server.Name], Notes = ["Runs that begin later have the new choice; those under way go on with theirs."],
        };
    }

    private async Task<ChosenCommands> Keep(Guid serverId, IReadOnlyList<string>? pre, IReadOnlyList<string>? post, string who, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // Two who choose at once must not mix.
        await connection.ExecuteAsync("select from servers.server where id = @serverId for update", new { serverId }, transaction);
        foreach (var (phase, names) in new[] { (CommandUse.Pre, pre), (CommandUse.Post, post) }.Where(p => p.Item2 is not null))
        {
            await connection.ExecuteAsync("delete from servers.chosen_command where server_id = @serverId and phase = @phase", new { serverId, phase }, transaction);
            await connection.ExecuteAsync("insert into servers.chosen_command (server_id, phase, position, name) values (@serverId, @phase, @Position, @Name)",
                names!.Select((name, index) => new { serverId, phase, Position = index + 1, Name = name }), transaction);
            await connection.ExecuteAsync("insert into servers.event (server_id, who, what) values (@serverId, @who, @what)",
                new { serverId, who, what = names!.Count == 0 ? $"chose no {phase}-commands" : $"chose the {phase}-commands {string.Join(", ", names)}" }, transaction);
        }

        await transaction.CommitAsync(cancellationToken);
        return await Chosen(serverId, cancellationToken);
    }

    private static string Words(IReadOnlyList<string> names) => names.Count == 0 ? "none" : string.Join(", ", names.Select(n => $"'{n}'"));

    /// <summary>The server's choice for one run, copied from the catalogue: a later change of it does not change the run. Of the choice, those that are meant for the workflow.</summary>
    /// <param name="use">For example <c>pre-install</c>.</param>
    internal async Task<IReadOnlyList<(string Field, OperatorCommand Command)>> Copies(Guid serverId, string use, string field, InputErrors errors, CancellationToken cancellationToken)
    {
        var chosen = await Chosen(serverId, cancellationToken);
        List<(string, OperatorCommand)> copies = [];
        foreach (var (index, name) in (use.StartsWith($"{CommandUse.Pre}-", StringComparison.Ordinal) ? chosen.PreCommands : chosen.PostCommands)!.Index())
        {
            var place = $"{field}[{index}]";
            if (await Copy(name, use, place, isAsked: false, errors, cancellationToken) is { } copy)
            {
                copies.Add((place, copy));
            }
        }

        return copies;
    }

    /// <param name="use">Null for any.</param>
    /// <returns>Null when it is not to be run.</returns>
    internal async Task<OperatorCommand?> Copy(string name, string? use, string field, bool isAsked, InputErrors errors, CancellationToken cancellationToken)
    {
        var command = await catalogue.Find(name, cancellationToken);
        if (command is null)
        {
            errors.Add(field, $"names no command: '{name}' is not there (msctl commands list)");
            return null;
        }

        if (use is not null && !command.Uses.Contains(use))
        {
            if (isAsked)
            {
                errors.Add(field, $"names a command that is not meant for {use}: '{command.Name}' {Meant(command)}");
            }

            return null;
        }

        if (catalogue.HoldsSecret(command))
        {
            errors.Add(field, $"names a command whose text holds a password, a key or a token that the product knows by now: let '{command.Name}' read it from a file on the host");
        }

        return new OperatorCommand(command.Name, command.Text, command.TimeoutSeconds, command.Repeatable, command.AsRoot) { SuccessCodes = command.SuccessCodes, OnFailure = command.OnFailure };
    }

    private async Task<ChosenCommands> Chosen(Guid serverId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = (await connection.QueryAsync<(string Phase, string Name)>("select phase, name from servers.chosen_command where server_id = @serverId order by phase, position", new { serverId })).ToLookup(r => r.Phase, r => r.Name);
        return new ChosenCommands([.. rows[CommandUse.Pre]], [.. rows[CommandUse.Post]]);
    }

    private static string Meant(CatalogueCommand command) => command.Uses.Count == 0 ? "is run by hand only" : $"is for {string.Join(", ", command.Uses)}";

    private async Task<IReadOnlyList<string>?> Names(Server server, string field, IReadOnlyList<string>? asked, string phase, InputErrors errors, CancellationToken cancellationToken)
    {
        if (asked is null)
        {
            return null;
        }

        if (asked.Count > Most)
        {
            errors.Add(field, $"must have at most {Most} entries");
        }

        List<string> names = [];
        foreach (var (index, name) in asked.Take(Most).Index())
        {
            var command = await catalogue.Find(name ?? "", cancellationToken);
            var rule = command switch
            {
                null => $"names no command: '{name}' is not there (msctl commands list)",
                _ when names.Contains(command.Name) => $"names '{command.Name}' twice",
                _ when !command.Uses.Any(u => u.StartsWith($"{phase}-", StringComparison.Ordinal)) => $"names a command that is never run {(phase == CommandUse.Pre ? "before" : "after")} anything: '{command.Name}' {Meant(command)}",
                { AsRoot: true } when server.Login.Kind == LoginKind.Docker =>
                    $"names a command that runs as root: user {server.SshUser} never becomes root on {server.Name}. Where '{command.Name}' needs root, run it there by hand and leave it out",
                _ => null,
            };
            if (rule is null)
            {
                names.Add(command!.Name);
            }
            else
            {
                errors.Add($"{field}[{index}]", rule);
            }
        }

        return names;
    }
}
