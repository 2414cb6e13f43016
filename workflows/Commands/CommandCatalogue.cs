using Dapper;
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
    public async Task<CatalogueCommand> Add(CatalogueRequest request, string who, CancellationToken cancellationToken = default)
    {
        await secrets.Refresh(cancellationToken);
        var command = checks.Merge(request, null);
        RefuseBuiltIn(command.Name);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (await connection.ExecuteScalarAsync<int>("select count(*) from servers.command") >= Most)
        {
            throw new CommandConflictException("too-many", $"There are {Most} commands already. Remove some that nobody uses.");
        }

        var added = await connection.ExecuteAsync(
            """
            insert into servers.command (id, name, description, text, timeout_seconds, success_codes, as_root, repeatable, uses, on_failure, changed_by)
            values (@Id, @Name, @Description, @Text, @TimeoutSeconds, @SuccessCodes, @AsRoot, @Repeatable, @Uses, @OnFailure, @Who) on conflict do nothing
            """, Values(Guid.CreateVersion7(), command, who));
        return added == 1 ? await Get(command.Name, cancellationToken) : throw Taken(command.Name);
    }

    /// <summary>Runs under way go on with the text that they were started with.</summary>
    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    /// <exception cref="CommandNotFoundException">There is no such command.</exception>
    /// <exception cref="CommandConflictException">It comes with the product.</exception>
    public async Task<CatalogueCommand> Edit(string name, CatalogueRequest request, string who, CancellationToken cancellationToken = default)
    {
        var before = await Get(name, cancellationToken);
        if (before.BuiltIn)
        {
            throw new CommandConflictException("built-in", $"'{before.Name}' comes with the product and changes with it alone. Copy it and change the copy: msctl commands add NAME --from '{before.Name}'");
        }

        await secrets.Refresh(cancellationToken);
        var command = checks.Merge(request, before);
        if (!string.Equals(command.Name, before.Name, StringComparison.OrdinalIgnoreCase))
        {
            RefuseBuiltIn(command.Name);
        }

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
                """, Values(Guid.Empty, command, who, before.Name), transaction);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw Taken(command.Name);
        }

        await transaction.CommitAsync(cancellationToken);
        return await Get(command.Name, cancellationToken);
    }

    /// <exception cref="CommandNotFoundException">There is no such command.</exception>
    /// <exception cref="CommandConflictException">It comes with the product, or servers use it.</exception>
    public async Task Remove(string name, CancellationToken cancellationToken = default)
    {
        var command = await Get(name, cancellationToken);
        if (command.BuiltIn)
        {
            throw new CommandConflictException("built-in", $"'{command.Name}' comes with the product and cannot be removed. What no server has chosen is never run.");
        }

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var users = (await connection.QueryAsync<string>(
            "select distinct s.name from servers.chosen_command c join servers.server s on s.id = c.server_id where lower(c.name) = lower(@Name) order by 1 limit 20", new { command.Name })).ToList();
        if (users.Count > 0)
        {
            throw new CommandConflictException("command-in-use", $"'{command.Name}' is run for {string.Join(", ", users)}. Choose others for these first: msctl servers commands NAME --pre … --post …");
        }

        await connection.ExecuteAsync("delete from servers.command where lower(name) = lower(@Name)", new { command.Name });
    }

    internal async Task<CatalogueCommand?> Find(string name, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var own = await connection.QuerySingleOrDefaultAsync<Row>($"select {Columns} from servers.command where lower(name) = lower(@name)", new { name = name.Replace("\0", "", StringComparison.Ordinal) });
        return own?.ToCommand() ?? BuiltInCommands.Find(name);
    }

    internal bool HoldsSecret(CatalogueCommand command) => checks.HoldsSecret(command.Text);

    private static void RefuseBuiltIn(string name)
    {
        if (BuiltInCommands.Find(name) is { } builtIn)
        {
            throw new InvalidInputException("name", $"is that of a command that comes with the product, '{builtIn.Name}': give this one a name of its own");
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
