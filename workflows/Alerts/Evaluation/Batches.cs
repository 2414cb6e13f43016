using System.Text.Json;
using Dapper;
using ManagedServers.Engine;
using Npgsql;

namespace ManagedServers.Workflows.Alerts;

/// <summary>
/// Makes one message for each channel out of all that has to be told: alerts that fire and were not told, and alerts that were told and are over. What is in maintenance waits
/// until that has ended, and what was over by then is never told.
/// </summary>
internal sealed class Batches(NpgsqlConnection connection, NpgsqlTransaction transaction, DateTime now, CancellationToken cancellationToken)
{
    // What a person reads, and a mail server takes; the rest is a number.
    private const int MostNamed = 100;

    private sealed class Row
    {
        public Guid Id { get; init; }
        public required string State { get; init; }
        public required string Rule { get; init; }
        public required string Severity { get; init; }
        public required string Server { get; init; }
        public required string Label { get; init; }
        public required string Summary { get; init; }
        public double? Value { get; init; }
        public DateTime Since { get; init; }
        public DateTime FiredAt { get; init; }
        public DateTime? ResolvedAt { get; init; }
        public string? ResolvedWhy { get; init; }
    }

    /// <returns>How many messages there are.</returns>
    public async Task<int> Make()
    {
        var told = (await connection.QueryAsync<Row>(new CommandDefinition("""
            with untold as (
                select id from alerts.alert a
                where ((state = 'firing' and fired_batch is null) or (state = 'resolved' and fired_batch is not null and resolved_batch is null))
                    and not exists (select from alerts.maintenance m where (m.server_id is null or m.server_id = a.server_id) and m.from_at <= @now and m.to_at > @now)),
            batch as materialized (select nextval('alerts.batch') as number where exists (select from untold))
            update alerts.alert a set fired_batch = coalesce(a.fired_batch, batch.number), resolved_batch = case when a.state = 'resolved' then batch.number end
            from untold, batch where a.id = untold.id
            returning a.id as "Id", a.state as "State", a.rule_name as "Rule", a.severity as "Severity", a.server_name as "Server", a.label as "Label", a.summary as "Summary", a.value as "Value",
                a.since as "Since", a.fired_at as "FiredAt", a.resolved_at as "ResolvedAt", a.resolved_why as "ResolvedWhy"
            """, new { now }, transaction, cancellationToken: cancellationToken)))
            .Select(Alert).OrderBy(a => a.State == AlertState.Resolved).ThenByDescending(a => a.Severity).ThenBy(a => a.Server, StringComparer.OrdinalIgnoreCase).ToList();
        if (told.Count == 0)
        {
            return 0;
        }

        var channels = await connection.QueryAsync<(Guid Id, string Severity)>(new CommandDefinition("select id, severity from alerts.channel where enabled", transaction: transaction, cancellationToken: cancellationToken));
        var messages = new List<(Guid Channel, NotificationContent Content)>();
        foreach (var (channel, severity) in channels)
        {
            var least = AlertWords.Parse<AlertSeverity>(severity);
            if (told.FindAll(a => a.Severity >= least) is { Count: > 0 } some)
            {
                messages.Add((channel, Content(some)));
            }
        }

        await connection.ExecuteAsync(new CommandDefinition("""
            insert into alerts.notification (id, batch, channel_id, content, created_at)
            select id, currval('alerts.batch'), channel_id, content::jsonb, @now from unnest(@ids, @channels, @contents) as u(id, channel_id, content)
            """, new
        {
            now, ids = messages.Select(m => m.Content.Id).ToArray(), channels = messages.Select(m => m.Channel).ToArray(),
            contents = messages.Select(m => JsonSerializer.Serialize(m.Content, EngineJson.Options)).ToArray(),
        }, transaction, cancellationToken: cancellationToken));
        return messages.Count;
    }

    private NotificationContent Content(List<NotifiedAlert> some) => new()
    {
        Id = Guid.CreateVersion7(new DateTimeOffset(now)), At = now, Kind = NotificationKind.Alerts, Severity = some.Max(a => a.Severity),
        Firing = some.Count(a => a.State == AlertState.Firing), Resolved = some.Count(a => a.State == AlertState.Resolved), Alerts = [.. some.Take(MostNamed)],
    };

    private static NotifiedAlert Alert(Row row) => new(
        row.Id, AlertWords.Parse<AlertState>(row.State), AlertWords.Parse<AlertSeverity>(row.Severity), row.Rule, row.Server, row.Label.Length > 0 ? row.Label : null, row.Summary, row.Value,
        row.Since, row.FiredAt, row.ResolvedAt, row.ResolvedWhy);
}
