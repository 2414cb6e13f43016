using Dapper;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts.Ssh;
using ManagedServers.Workflows.Settings;
using Npgsql;

namespace ManagedServers.Workflows.Commands;

/// <summary>The commands that may be run on hosts: those that come with the product, and operators' own. The only free text that reaches a shell.</summary>
public sealed class CommandCatalogue(NpgsqlDataSource database, KnownSecrets secrets)
{
    private const int Most = 500;
    private const string Columns =
        """
        name, description, text, timeout_seconds as TimeoutSeconds, success_codes as SuccessCodes, as_root as AsRoot, repeatable, uses, on_failure as OnFailure,
        changed_at as ChangedAt, changed_by as ChangedBy
        """;

    private readonly CommandChecks checks = new(secrets);

    /// <summary>All, in the order of their names.</summary>
    public async Task<IReadOnlyList<CatalogueCommand>> List(CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var own = (await connection.QueryAsync<Row>($"select {Columns} from servers.command")).Select(r => r.ToCommand()).ToList();
        // An operator's own goes before one of a later version of the product that happens to have the same name.
        var names = own.Select(c => c.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return [.. own.Concat(BuiltInCommands.All.Where(b => !names.Contains(b.Name))).OrderBy(c => c.Name, StringComparer.OrdinalIgnoreCase)];
    }

    /// <exception cref="CommandNotFoundException">There is no such command.</exception>
    public async Task<CatalogueCommand> Get(string name, CancellationToken cancellationToken = default) => await Find(name, cancellationToken) ?? throw new CommandNotFoundException(name);

    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    public async Task<PreparedChange<CatalogueCommand>> Add(CatalogueRequest request, string who, CancellationToken cancellationToken = default)
    {
        await secrets.Refresh(cancellationToken);
        var command = checks.Merge(request, null);
        await RefuseTaken(command.Name, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (await connection.ExecuteScalarAsync<int>("select count(*) from servers.command") >= Most)
        {
            throw new CommandConflictException("too-many", $"There are {Most} commands already. Remove some that nobody uses.");
        }

        return new PreparedChange<CatalogueCommand>($"add the command '{command.Name}'", Changes(null, command), ct => Insert(command, who, ct));
    }

    /// <summary>Runs under way go on with the text that they were started with.</summary>
    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    /// <exception cref="CommandNotFoundException">There is no such command.</exception>
    /// <exception cref="CommandConflictException">It comes with the product.</exception>
    public async Task<PreparedChange<CatalogueCommand>> Edit(string name, CatalogueRequest request, string who, CancellationToken cancellationToken = default)
    {
        var before = await Get(name, cancellationToken);
        if (before.BuiltIn)
        {
            throw new CommandConflictException("built-in", $"'{before.Name}' comes with the product and changes with it alone. Copy it and change the copy: msctl commands add NAME --from {RemoteCommandLine.Quote(before.Name)}");
        }

        await secrets.Refresh(cancellationToken);
        var command = checks.Merge(request, before);
        if (!string.Equals(command.Name, before.Name, StringComparison.OrdinalIgnoreCase))
        {
            await RefuseTaken(command.Name, cancellationToken);
        }

        return new PreparedChange<CatalogueCommand>($"change the command '{before.Name}'", Changes(before, command), ct => Update(before.Name, command, who, ct))
        {
            Servers = await Users(before.Name, cancellationToken), Notes = ["Runs under way go on with the text that they were started with; those that begin later run it as it is then."],
        };
    }

    /// <exception cref="CommandNotFoundException">There is no such command.</exception>
    /// <exception cref="CommandConflictException">It comes with the product, or servers use it.</exception>
    public async Task<PreparedChange<Nothing>> Remove(string name, CancellationToken cancellationToken = default)
    {
        var command = await Get(name, cancellationToken);
        if (command.BuiltIn)
        {
            throw new CommandConflictException("built-in", $"'{command.Name}' comes with the product and cannot be removed. What no server has chosen is never run.");
        }

        await RefuseUsed(command.Name, cancellationToken);
        return new PreparedChange<Nothing>($"remove the command '{command.Name}'", [new("command", $"'{command.Name}', with its text", null)], async ct =>
        {
            await RefuseUsed(command.Name, ct);
            await using var connection = await database.OpenConnectionAsync(ct);
            await connection.ExecuteAsync("delete from servers.command where lower(name) = lower(@Name)", new { command.Name });
            return Nothing.Value;
        });
    }

    private async Task<CatalogueCommand> Insert(CatalogueCommand command, string who, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var added = await connection.ExecuteAsync(
            """
            insert into servers.command (id, name, description, text, timeout_seconds, success_codes, as_root, repeatable, uses, on_failure, changed_by)
            values (@Id, @Name, @Description, @Text, @TimeoutSeconds, @SuccessCodes, @AsRoot, @Repeatable, @Uses, @OnFailure, @Who) on conflict do nothing
            """, Values(Guid.CreateVersion7(), command, who));
        return added == 1 ? await Get(command.Name, cancellationToken) : throw Taken(command.Name);
    }

    private async Task<CatalogueCommand> Update(string before, CatalogueCommand command, string who, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        try
        {
            await connection.ExecuteAsync(
                """
                update servers.command set name = @Name, description = @Description, text = @Text, timeout_seconds = @TimeoutSeconds, success_codes = @SuccessCodes, as_root = @AsRoot,
                       repeatable = @Repeatable, uses = @Uses, on_failure = @OnFailure, changed_at = now(), changed_by = @Who
                where lower(name) = lower(@Before);
                update servers.chosen_command set name = @Name where lower(name) = lower(@Before);
                """, Values(Guid.Empty, command, who, before), transaction);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw Taken(command.Name);
        }

        await transaction.CommitAsync(cancellationToken);
        return await Get(command.Name, cancellationToken);
    }

    /// <summary>The names of the servers that have chosen it.</summary>
    private async Task<IReadOnlyList<string>> Users(string name, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return [.. await connection.QueryAsync<string>(
            "select distinct s.name from servers.chosen_command c join servers.server s on s.id = c.server_id where lower(c.name) = lower(@name) order by 1", new { name })];
    }

    private async Task RefuseUsed(string name, CancellationToken cancellationToken)
    {
        if (await Users(name, cancellationToken) is { Count: > 0 } users)
        {
            throw new CommandConflictException("command-in-use", $"'{name}' is run for {string.Join(", ", users.Take(20))}. Choose others for these first: msctl servers commands NAME --pre … --post …");
        }
    }

    private static IReadOnlyList<StoredChange> Changes(CatalogueCommand? before, CatalogueCommand after) => StoredChange.Of(
        new("name", before is null ? null : $"'{before.Name}'", $"'{after.Name}'"),
        new("description", Given(before?.Description), Given(after.Description)),
        new StoredChange("text", before is null ? null : Size(before.Text), after.Text == before?.Text ? Size(before.Text) : $"{(before is null ? "" : "another one, ")}{Size(after.Text)}")
        {
            Detail = after.Text == before?.Text ? null : TextDifference.Of(before?.Text ?? "", after.Text),
        },
        new("time limit", before is null ? null : $"{before.TimeoutSeconds} s", $"{after.TimeoutSeconds} s"),
        new("exit codes that say that it went well", before is null ? null : string.Join(", ", before.SuccessCodes), string.Join(", ", after.SuccessCodes)),
        new("runs as", before is null ? null : As(before), As(after)),
        new("repeatable", before is null ? null : YesOrNo(before.Repeatable), YesOrNo(after.Repeatable)),
        new("uses", before is null ? null : Uses(before), Uses(after)),
        new("on failure", before?.OnFailure.ToString().ToLowerInvariant(), after.OnFailure.ToString().ToLowerInvariant()));

    private static string? Given(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static string Size(string text) => text.TrimEnd('\n').Split('\n').Length is var lines && lines == 1 ? "1 line" : $"{lines} lines";

    private static string As(CatalogueCommand command) => command.AsRoot ? "root" : "the user who logs in";

    private static string YesOrNo(bool yes) => yes ? "yes" : "no";

    private static string Uses(CatalogueCommand command) => command.Uses.Count == 0 ? "by hand only" : string.Join(", ", command.Uses);

    internal async Task<CatalogueCommand?> Find(string name, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var own = await connection.QuerySingleOrDefaultAsync<Row>($"select {Columns} from servers.command where lower(name) = lower(@name)", new { name = name.Replace("\0", "", StringComparison.Ordinal) });
        return own?.ToCommand() ?? BuiltInCommands.Find(name);
    }

    internal bool HoldsSecret(CatalogueCommand command) => checks.HoldsSecret(command.Text);

    private async Task RefuseTaken(string name, CancellationToken cancellationToken)
    {
        if (BuiltInCommands.Find(name) is { } builtIn)
        {
            throw new InvalidInputException("name", $"is that of a command that comes with the product, '{builtIn.Name}': give this one a name of its own");
        }

        if (await Find(name, cancellationToken) is not null)
        {
            throw Taken(name);
        }
    }

    private static InvalidInputException Taken(string name) => new("name", $"must be unique, and there is a command called '{name}' already");

    private static Written Values(Guid id, CatalogueCommand c, string who, string? before = null) => new(
        id, c.Name, c.Description, c.Text, c.TimeoutSeconds, [.. c.SuccessCodes], c.AsRoot, c.Repeatable, [.. c.Uses], c.OnFailure.ToString().ToLowerInvariant(), who, before);

    private sealed record Written(
        Guid Id, string Name, string Description, string Text, int TimeoutSeconds, int[] SuccessCodes, bool AsRoot, bool Repeatable, string[] Uses, string OnFailure, string Who, string? Before);

    private sealed class Row
    {
        public required string Name { get; init; }
        public required string Description { get; init; }
        public required string Text { get; init; }
        public int TimeoutSeconds { get; init; }
        public required int[] SuccessCodes { get; init; }
        public bool AsRoot { get; init; }
        public bool Repeatable { get; init; }
        public required string[] Uses { get; init; }
        public required string OnFailure { get; init; }
        public DateTime ChangedAt { get; init; }
        public required string ChangedBy { get; init; }

        public CatalogueCommand ToCommand() => new()
        {
            Name = Name, Description = Description, Text = Text, TimeoutSeconds = TimeoutSeconds, SuccessCodes = SuccessCodes, AsRoot = AsRoot, Repeatable = Repeatable, Uses = Uses,
            OnFailure = Enum.Parse<CommandFailure>(OnFailure, ignoreCase: true), BuiltIn = false, ChangedAt = ChangedAt, ChangedBy = ChangedBy,
        };
    }
}
