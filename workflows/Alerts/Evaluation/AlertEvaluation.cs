using Dapper;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Settings;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Workflows.Alerts;

/// <param name="Fired">Alerts that began to fire.</param>
/// <param name="Notifications">Messages that are to be delivered.</param>
public sealed record EvaluationResult(int Rules, int Fired, int Resolved, int Pending, int Notifications);

/// <summary>
/// Looks at all servers with all rules, and keeps what has changed together with the messages about it: in one transaction, so that a node that dies has done all of it or
/// nothing. Of several nodes one evaluates; the others find it done.
/// </summary>
public sealed class AlertEvaluation(
    NpgsqlDataSource database, CurrentMonitoring current, MonitoringOptions options, ProductSettings settings, TimeProvider time, ILogger<AlertEvaluation> logger)
{
    // "msal" in ASCII.
    internal const long LockKey = 0x6D73616C;

    // At a hundred thousand servers it takes seconds; a database that is in trouble must not be asked for ever.
    private const int Patience = 300;

    /// <returns>Null where another node does it, or has just done it.</returns>
    public async Task<EvaluationResult?> Evaluate(CancellationToken cancellationToken = default)
    {
        var interval = TimeSpan.FromSeconds((await settings.Read(AlertSettings.Module, cancellationToken)).EvaluationIntervalSeconds);
        var now = time.GetUtcNow().UtcDateTime;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (!IsDue((await Last(connection, null)).At, now, interval))
        {
            return null;
        }

        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (!await connection.ExecuteScalarAsync<bool>(new CommandDefinition("select pg_try_advisory_xact_lock(@LockKey)", new { LockKey }, transaction, cancellationToken: cancellationToken)))
        {
            return null;
        }

        // To compile a statement of so many parts takes longer than to run it.
        await connection.ExecuteAsync("set local jit = off", transaction: transaction);
        // Another node may have done it while this one waited.
        var (last, steadySince) = await Last(connection, transaction);
        if (!IsDue(last, now, interval))
        {
            return null;
        }

        // After a pause of the product itself hosts are given the time to be heard again.
        var steady = last is { } before && now - before <= 2 * interval + options.Grace && steadySince is { } since && since <= now ? steadySince.Value : now;
        var result = await Evaluate(connection, transaction, now, silenceJudged: now - steady > current.Window + 2 * options.Grace, cancellationToken);
        await connection.ExecuteAsync("update alerts.evaluation set evaluated_at = @now, steady_since = @steady", new { now, steady }, transaction);
        await transaction.CommitAsync(cancellationToken);
        if (result.Fired + result.Resolved > 0)
        {
            logger.LogInformation("{Fired} alerts fire, {Resolved} are over, {Notifications} notifications", result.Fired, result.Resolved, result.Notifications);
        }

        return result;
    }

    // A clock that was set back must not stop it.
    private static bool IsDue(DateTime? last, DateTime now, TimeSpan interval) => last is not { } at || at <= now - interval || at > now;

    private static Task<(DateTime? At, DateTime? SteadySince)> Last(NpgsqlConnection connection, NpgsqlTransaction? transaction) =>
        connection.QuerySingleAsync<(DateTime? At, DateTime? SteadySince)>("select evaluated_at, steady_since from alerts.evaluation", transaction: transaction);

    /// <summary>What the rule would find now, without waiting for how long it must be so. Changes nothing.</summary>
    internal async Task<IReadOnlyList<Finding>> Look(AlertRule rule, CancellationToken cancellationToken)
    {
        var query = new RuleQuery(current, options, time.GetUtcNow().UtcDateTime);
        query.Add(0, rule, []);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return [.. (await Ask(connection, null, query, [], cancellationToken)).Where(f => f.Rule == 0 && f.Label is not null && rule.IsBreached(f.Value))];
    }

    private async Task<EvaluationResult> Evaluate(NpgsqlConnection connection, NpgsqlTransaction transaction, DateTime now, bool silenceJudged, CancellationToken cancellationToken)
    {
        var all = await AlertRules.Enabled(connection, transaction, cancellationToken);
        var held = all.Where(r => (!silenceJudged && JudgesSilence(r)) || !IsUnderstood(r)).Select(r => r.Id).ToHashSet();
        var rules = all.Where(r => !held.Contains(r.Id)).ToList();
        var store = new AlertStore(connection, transaction, now, cancellationToken);
        var open = await store.Open();
        var query = new RuleQuery(current, options, now);
        var byRule = open.ToLookup(a => a.RuleId, a => a.ServerId);
        foreach (var (index, rule) in rules.Index())
        {
            query.Add(index, rule, [.. byRule[rule.Id].Distinct()]);
        }

        var findings = await Ask(connection, transaction, query, [.. open.Select(a => a.ServerId).Distinct()], cancellationToken);
        var changes = AlertChanges.Of(rules, held, open, findings, now);
        await store.Keep(changes);
        var notifications = await new Batches(connection, transaction, now, cancellationToken).Make();
        await store.CleanUp(now.AddDays(-(await settings.Read(AlertSettings.Module, cancellationToken)).KeptDays));
        return new EvaluationResult(all.Count, changes.Fires.Count + changes.New.Count(n => n.Fires), changes.Resolved.Count, changes.New.Count(n => !n.Fires), notifications);
    }

    private static bool JudgesSilence(AlertRule rule) =>
        rule.Kind == AlertKind.Absence || rule.Condition is HealthState.Unreachable or HealthState.AgentSilent or HealthState.Degraded or HealthState.CollectorSilent;

    /// <summary>One that a node of a newer version has stored must not keep this one from all others.</summary>
    private static bool IsUnderstood(AlertRule rule) => (rule.Metric is null || MetricSql.Parse(rule.Metric) is not null) && (rule.Of is null || MetricSql.Parse(rule.Of) is not null);

    private static async Task<IReadOnlyList<Finding>> Ask(NpgsqlConnection connection, NpgsqlTransaction? transaction, RuleQuery query, Guid[] open, CancellationToken cancellationToken)
    {
        var (sql, parameters) = query.Build(open);
        var rows = await connection.QueryAsync<(int Rule, Guid ServerId, string Server, string? Label, double? Value)>(
            new CommandDefinition(sql, parameters, transaction, Patience, cancellationToken: cancellationToken));
        return [.. rows.Select(r => new Finding(r.Rule, r.ServerId, r.Server, r.Label, r.Value))];
    }
}
