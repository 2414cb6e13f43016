using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Alerts;

/// <param name="Label">The mount, the interface or the component; null where there is but one.</param>
/// <param name="Since">Since when it is so.</param>
/// <param name="FiredAt">Null while it is pending.</param>
/// <param name="MaintenanceUntil">Nobody is notified until then; null outside of maintenance.</param>
/// <param name="Notified">Its firing was told to the channels that there were, or there was none.</param>
public sealed record Alert(
    Guid Id, string Rule, AlertSeverity Severity, AlertState State, Guid ServerId, string Server, string? Label, string Summary, double? Value, DateTimeOffset Since, DateTimeOffset? FiredAt,
    DateTimeOffset? ResolvedAt, string? ResolvedWhy, DateTimeOffset? MaintenanceUntil, bool Notified);

/// <summary>Which alerts.</summary>
public sealed record AlertFilter
{
    /// <summary>None: those that are not over.</summary>
    public AlertState? State { get; init; }
    public Guid? Server { get; init; }

    /// <summary>The last one of the page before.</summary>
    public Guid? Before { get; init; }
    public int Limit { get; init; } = 50;
}

/// <summary>Questions about alerts.</summary>
public sealed class AlertList(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>The newest first.</summary>
    public async Task<IReadOnlyList<Alert>> List(AlertFilter filter, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<Row>(new CommandDefinition("""
            select a.id as "Id", a.rule_name as "Rule", a.severity as "Severity", a.state as "State", a.server_id as "ServerId", a.server_name as "Server", a.label as "Label",
                a.summary as "Summary", a.value as "Value", a.since as "Since", a.fired_at as "FiredAt", a.resolved_at as "ResolvedAt", a.resolved_why as "ResolvedWhy",
                (select max(m.to_at) from alerts.maintenance m where (m.server_id is null or m.server_id = a.server_id) and m.from_at <= @now and m.to_at > @now) as "MaintenanceUntil",
                a.fired_batch is not null as "Notified"
            from alerts.alert a
            where (case when @state::text is null then a.state <> 'resolved' else a.state = @state end)
                and (@server::uuid is null or a.server_id = @server) and (@before::uuid is null or a.id < @before)
            order by a.id desc limit @limit
            """, new
        {
            now = time.GetUtcNow().UtcDateTime, state = filter.State is { } state ? AlertWords.Of(state) : null, server = filter.Server, before = filter.Before, limit = filter.Limit,
        }, cancellationToken: cancellationToken));
        return [.. rows.Select(r => new Alert(
            r.Id, r.Rule, AlertWords.Parse<AlertSeverity>(r.Severity), AlertWords.Parse<AlertState>(r.State), r.ServerId, r.Server, r.Label.Length > 0 ? r.Label : null, r.Summary, r.Value, r.Since, r.FiredAt,
            r.ResolvedAt, r.ResolvedWhy, r.MaintenanceUntil, r.Notified))];
    }

    private sealed class Row
    {
        public Guid Id { get; init; }
        public required string Rule { get; init; }
        public required string Severity { get; init; }
        public required string State { get; init; }
        public Guid ServerId { get; init; }
        public required string Server { get; init; }
        public required string Label { get; init; }
        public required string Summary { get; init; }
        public double? Value { get; init; }
        public DateTime Since { get; init; }
        public DateTime? FiredAt { get; init; }
        public DateTime? ResolvedAt { get; init; }
        public string? ResolvedWhy { get; init; }
        public DateTime? MaintenanceUntil { get; init; }
        public bool Notified { get; init; }
    }
}
