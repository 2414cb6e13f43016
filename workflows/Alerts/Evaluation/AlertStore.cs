using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Alerts;

/// <summary>The rows of alerts, in the evaluation's transaction: as many as there are with one statement each.</summary>
internal sealed class AlertStore(NpgsqlConnection connection, NpgsqlTransaction transaction, DateTime now, CancellationToken cancellationToken)
{
    private const int RemovedAtOnce = 10_000;

    public async Task<IReadOnlyList<OpenAlert>> Open() =>
        [.. (await connection.QueryAsync<(Guid Id, Guid RuleId, Guid ServerId, string Label, bool IsFiring, double? Value, DateTime Since)>(new CommandDefinition(
            "select id, rule_id, server_id, label, state = 'firing', value, since from alerts.alert where state <> 'resolved'", transaction: transaction, cancellationToken: cancellationToken)))
            .Select(a => new OpenAlert(a.Id, a.RuleId, a.ServerId, a.Label, a.IsFiring, a.Value, a.Since))];

    public async Task Keep(AlertChanges changes)
    {
        await Add(changes.New);
        await Move(changes.Moved);
        await Each(changes.Fires.Select(a => a.Id), "update alerts.alert set state = 'firing', fired_at = @now where id = any(@ids)");
        await Each(changes.Forgotten.Select(a => a.Id), "delete from alerts.alert where id = any(@ids)");
        if (changes.Resolved.Count > 0)
        {
            await Do("""
                update alerts.alert a set state = 'resolved', resolved_at = @now, resolved_why = u.why from unnest(@ids, @whys) as u(id, why) where a.id = u.id
                """, new { now, ids = changes.Resolved.Select(r => r.Alert.Id).ToArray(), whys = changes.Resolved.Select(r => r.Why).ToArray() });
        }
    }

    /// <summary>Those that have been over since before then, and what was sent.</summary>
    public async Task CleanUp(DateTime before)
    {
        await Do("delete from alerts.alert where id in (select id from alerts.alert where state = 'resolved' and resolved_at < @before limit @RemovedAtOnce)", new { before, RemovedAtOnce });
        await Do("delete from alerts.notification where id in (select id from alerts.notification where created_at < @before limit @RemovedAtOnce)", new { before, RemovedAtOnce });
    }

    private async Task Add(IReadOnlyList<NewAlert> added)
    {
        if (added.Count == 0)
        {
            return;
        }

        await Do("""
            insert into alerts.alert (id, rule_id, server_id, label, rule_name, severity, server_name, summary, state, value, since, fired_at)
            select id, rule_id, server_id, label, rule_name, severity, server_name, summary, case when fires then 'firing' else 'pending' end, value, @now, case when fires then @now end
            from unnest(@ids, @rules, @servers, @labels, @ruleNames, @severities, @serverNames, @summaries, @values, @fires)
                as u(id, rule_id, server_id, label, rule_name, severity, server_name, summary, value, fires)
            """, new
        {
            now,
            ids = added.Select(_ => Guid.CreateVersion7(new DateTimeOffset(now))).ToArray(),
            rules = added.Select(a => a.Rule.Id).ToArray(),
            servers = added.Select(a => a.ServerId).ToArray(),
            labels = added.Select(a => a.Label).ToArray(),
            ruleNames = added.Select(a => a.Rule.Name).ToArray(),
            severities = added.Select(a => AlertWords.Of(a.Rule.Severity)).ToArray(),
            serverNames = added.Select(a => a.Server).ToArray(),
            summaries = added.Select(a => a.Summary).ToArray(),
            values = added.Select(a => a.Value).ToArray(),
            fires = added.Select(a => a.Fires).ToArray(),
        });
    }

    private async Task Move(IReadOnlyList<(OpenAlert Alert, double? Value, string Summary)> moved)
    {
        if (moved.Count > 0)
        {
            await Do("update alerts.alert a set value = u.value, summary = u.summary from unnest(@ids, @values, @summaries) as u(id, value, summary) where a.id = u.id",
                new { ids = moved.Select(m => m.Alert.Id).ToArray(), values = moved.Select(m => m.Value).ToArray(), summaries = moved.Select(m => m.Summary).ToArray() });
        }
    }

    private async Task Each(IEnumerable<Guid> alerts, string sql)
    {
        if (alerts.ToArray() is { Length: > 0 } ids)
        {
            await Do(sql, new { ids, now });
        }
    }

    private Task Do(string sql, object parameters) => connection.ExecuteAsync(new CommandDefinition(sql, parameters, transaction, cancellationToken: cancellationToken));
}
