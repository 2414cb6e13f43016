using System.Globalization;
using Dapper;
using ManagedServers.Engine;
using Npgsql;

namespace ManagedServers.Workflows.Alerts;

/// <summary>The stored rules. A change holds from the next evaluation on.</summary>
public sealed class AlertRules(NpgsqlDataSource database, Servers.Servers servers)
{
    private const int Most = 200;
    private const string Columns =
        """
        r.id as "Id", r.name as "Name", r.description as "Description", r.enabled as "Enabled", r.severity as "Severity", r.kind as "Kind", r.metric as "Metric", r.share_of as "Of",
        r.condition as "Condition", r.comparison as "Comparison", r.value as "Value", r.clear_value as "ClearValue", r.window_seconds as "WindowSeconds", r.for_seconds as "ForSeconds",
        r.servers as "ServerIds", array(select s.name from servers.server s where s.id = any(r.servers) order by lower(s.name)) as "Servers", r.changed_at as "ChangedAt", r.changed_by as "ChangedBy"
        """;

    /// <summary>All, in the order of their names.</summary>
    public async Task<IReadOnlyList<AlertRule>> List(CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await Read(connection, null, "true", null, cancellationToken);
    }

    /// <exception cref="AlertRuleNotFoundException">There is none.</exception>
    public async Task<AlertRule> Get(string idOrName, CancellationToken cancellationToken = default) => await Find(idOrName, cancellationToken) ?? throw new AlertRuleNotFoundException(idOrName);

    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    public async Task<PreparedChange<AlertRule>> Add(AlertRuleRequest request, string who, CancellationToken cancellationToken = default)
    {
        var rule = await Checked(request, null, cancellationToken);
        if ((await List(cancellationToken)).Count >= Most)
        {
            throw new InvalidInputException("name", $"is one too many: there are {Most} rules already");
        }

        return new PreparedChange<AlertRule>($"add the alert rule '{rule.Name}'", Changes(null, rule), ct => Keep(rule, isNew: true, who, ct));
    }

    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    /// <exception cref="AlertRuleNotFoundException">There is none.</exception>
    public async Task<PreparedChange<AlertRule>> Edit(string idOrName, AlertRuleRequest request, string who, CancellationToken cancellationToken = default)
    {
        var before = await Get(idOrName, cancellationToken);
        var rule = await Checked(request, before, cancellationToken);
        return new PreparedChange<AlertRule>($"change the alert rule '{before.Name}'", Changes(before, rule), ct => Keep(rule, isNew: false, who, ct))
        {
            Notes = before.Enabled && !rule.Enabled ? ["Its alerts are over with the next evaluation, and those who heard of them are told so."] : [],
        };
    }

    /// <exception cref="AlertRuleNotFoundException">There is none.</exception>
    public async Task<PreparedChange<Nothing>> Remove(string idOrName, CancellationToken cancellationToken = default)
    {
        var rule = await Get(idOrName, cancellationToken);
        return new PreparedChange<Nothing>($"remove the alert rule '{rule.Name}'", [new("alert rule", $"'{rule.Name}'", null)], async ct =>
        {
            await using var connection = await database.OpenConnectionAsync(ct);
            await connection.ExecuteAsync("delete from alerts.rule where id = @Id", new { rule.Id });
            return Nothing.Value;
        })
        { Notes = ["Its alerts are over with the next evaluation, and those who heard of them are told so."] };
    }

    /// <summary>As it would be stored: what is asked is checked, and its servers are looked up.</summary>
    internal async Task<AlertRule> Checked(AlertRuleRequest request, AlertRule? before, CancellationToken cancellationToken)
    {
        var rule = AlertRuleChecks.Merge(request, before);
        if (await Find(rule.Name, cancellationToken) is { } same && same.Id != rule.Id)
        {
            throw Taken(rule.Name);
        }

        if (request.Servers is null)
        {
            return rule with { Servers = before?.Servers ?? [], ServerIds = before?.ServerIds ?? [] };
        }

        if (request.Servers.Count > AlertRuleChecks.MostServers)
        {
            throw new InvalidInputException("servers", $"must name at most {AlertRuleChecks.MostServers}; none for all");
        }

        List<Servers.Server> found = [];
        foreach (var (index, name) in request.Servers.Index())
        {
            try
            {
                found.Add(await servers.Get(name ?? "", cancellationToken));
            }
            catch (Servers.ServerNotFoundException missing)
            {
                throw new InvalidInputException(string.Create(CultureInfo.InvariantCulture, $"servers[{index}]"), missing.Message);
            }
        }

        return rule with { Servers = [.. found.Select(s => s.Name).Distinct()], ServerIds = [.. found.Select(s => s.Id).Distinct()] };
    }

    internal static Task<IReadOnlyList<AlertRule>> Enabled(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken) =>
        Read(connection, transaction, "r.enabled", null, cancellationToken);

    private async Task<AlertRule?> Find(string idOrName, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var id = Guid.TryParse(idOrName, out var parsed) ? parsed : Guid.Empty;
        return (await Read(connection, null, "r.id = @id or lower(r.name) = lower(@name)", new { id, name = idOrName.Replace("\0", "", StringComparison.Ordinal).Trim() }, cancellationToken)).SingleOrDefault();
    }

    private static async Task<IReadOnlyList<AlertRule>> Read(NpgsqlConnection connection, NpgsqlTransaction? transaction, string condition, object? parameters, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryAsync<Row>(new CommandDefinition($"select {Columns} from alerts.rule r where {condition} order by lower(r.name)", parameters, transaction, cancellationToken: cancellationToken));
        return [.. rows.Select(r => r.ToRule())];
    }

    private async Task<AlertRule> Keep(AlertRule rule, bool isNew, string who, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            var kept = await connection.ExecuteAsync(isNew
                ? """
                  insert into alerts.rule (id, name, description, enabled, severity, kind, metric, share_of, condition, comparison, value, clear_value, window_seconds, for_seconds, servers, changed_by)
                  values (@Id, @Name, @Description, @Enabled, @severity, @kind, @Metric, @Of, @condition, @comparison, @Value, @ClearValue, @WindowSeconds, @ForSeconds, @servers, @who)
                  """
                : """
                  update alerts.rule set name = @Name, description = @Description, enabled = @Enabled, severity = @severity, metric = @Metric, share_of = @Of, condition = @condition,
                         comparison = @comparison, value = @Value, clear_value = @ClearValue, window_seconds = @WindowSeconds, for_seconds = @ForSeconds, servers = @servers,
                         changed_at = now(), changed_by = @who
                  where id = @Id and kind = @kind
                  """,
                new
                {
                    rule.Id, rule.Name, rule.Description, rule.Enabled, severity = AlertWords.Of(rule.Severity), kind = AlertWords.Of(rule.Kind), rule.Metric, rule.Of,
                    condition = rule.Condition is { } condition ? AlertWords.Of(condition) : null, comparison = rule.Comparison is { } comparison ? AlertWords.Of(comparison) : null,
                    rule.Value, rule.ClearValue, rule.WindowSeconds, rule.ForSeconds, servers = rule.ServerIds.ToArray(), who,
                });
            return kept == 1 ? await Get(rule.Id.ToString(), cancellationToken) : throw new AlertRuleNotFoundException(rule.Name);
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw Taken(rule.Name);
        }
    }

    private static IReadOnlyList<StoredChange> Changes(AlertRule? before, AlertRule after) => StoredChange.Of(
        new("name", before is null ? null : $"'{before.Name}'", $"'{after.Name}'"),
        new("description", Given(before?.Description), Given(after.Description)),
        new("enabled", before is null ? null : YesOrNo(before.Enabled), YesOrNo(after.Enabled)),
        new("severity", before is null ? null : AlertWords.Of(before.Severity), AlertWords.Of(after.Severity)),
        new("fires when", before is null ? null : AlertWords.Condition(before), AlertWords.Condition(after)),
        new("over when", before is null ? null : AlertWords.Clear(before), AlertWords.Clear(after)),
        new("for", before is null ? null : $"{before.ForSeconds} s", $"{after.ForSeconds} s"),
        new("servers", before is null ? null : Names(before), Names(after)));

    private static string? Given(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static string YesOrNo(bool yes) => yes ? "yes" : "no";

    private static string Names(AlertRule rule) => rule.ServerIds.Count == 0 ? "all" : rule.Servers.Count == 0 ? "none that is left" : string.Join(", ", rule.Servers);

    private static InvalidInputException Taken(string name) => new("name", $"must be unique, and there is a rule called '{name}' already");

    private sealed class Row
    {
        public Guid Id { get; init; }
        public required string Name { get; init; }
        public required string Description { get; init; }
        public bool Enabled { get; init; }
        public required string Severity { get; init; }
        public required string Kind { get; init; }
        public string? Metric { get; init; }
        public string? Of { get; init; }
        public string? Condition { get; init; }
        public string? Comparison { get; init; }
        public double? Value { get; init; }
        public double? ClearValue { get; init; }
        public int? WindowSeconds { get; init; }
        public int ForSeconds { get; init; }
        public required Guid[] ServerIds { get; init; }
        public required string[] Servers { get; init; }
        public DateTime ChangedAt { get; init; }
        public required string ChangedBy { get; init; }

        public AlertRule ToRule() => new()
        {
            Id = Id, Name = Name, Description = Description, Enabled = Enabled, Severity = AlertWords.Parse<AlertSeverity>(Severity), Kind = AlertWords.Parse<AlertKind>(Kind), Metric = Metric, Of = Of,
            Condition = Condition is null ? null : AlertWords.Parse<HealthState>(Condition), Comparison = Comparison is null ? null : AlertWords.Parse<AlertComparison>(Comparison),
            Value = Value, ClearValue = ClearValue, WindowSeconds = WindowSeconds, ForSeconds = ForSeconds, ServerIds = ServerIds, Servers = Servers, ChangedAt = ChangedAt, ChangedBy = ChangedBy,
        };
    }
}
