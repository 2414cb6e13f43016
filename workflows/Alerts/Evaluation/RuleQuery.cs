using System.Globalization;
using Dapper;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Alerts;

/// <summary>What a rule found about one thing of a server.</summary>
/// <param name="Rule">Its place among those that were asked; -1: the server is one of those of which anything is expected.</param>
/// <param name="Label">Null: it was measured, whatever was found.</param>
internal sealed record Finding(int Rule, Guid ServerId, string Server, string? Label, double? Value);

/// <summary>
/// One statement for all rules and all servers: the newest beat of each server is read once, by the index, and every rule looks at these. It gives what is beyond a rule's
/// clear value, and nothing of all that is well, so that the answer is as long as the trouble.
/// </summary>
internal sealed class RuleQuery
{
    private readonly DynamicParameters parameters = new();
    private readonly List<string> branches = [];
    private readonly SortedDictionary<string, string?> columns = new(StringComparer.Ordinal);
    private readonly CurrentMonitoring current;
    private readonly DateTime now;

    // What was measured before says nothing about now.
    private readonly TimeSpan fresh;
    private bool asksHealth;
    private bool asksSubnets;

    public RuleQuery(CurrentMonitoring current, MonitoringOptions options, DateTime now)
    {
        (this.current, this.now, fresh) = (current, now, current.Window + options.Grace);
        HealthSql.AddParameters(parameters, current, options, now);
        parameters.Add("fresh", now - fresh);
    }

    /// <param name="index">By which its findings are known.</param>
    /// <param name="open">Servers with alerts of it: of these it is told too that they were measured.</param>
    public void Add(int index, AlertRule rule, Guid[] open)
    {
        var i = index.ToString(CultureInfo.InvariantCulture);
        parameters.Add($"open{i}", open);
        parameters.Add($"scope{i}", rule.ServerIds.ToArray());
        parameters.Add($"clear{i}", rule.ClearValue ?? rule.Value);
        var metric = rule.Metric is null ? null : MetricSql.Parse(rule.Metric);
        parameters.Add($"label{i}", metric?.Label);
        var scope = rule.ServerIds.Count > 0 ? $" and server_id = any(@scope{i})" : "";
        var label = metric?.Label is null ? "" : $" and label = @label{i}";
        var beyond = $"value {(rule.Comparison == AlertComparison.Above ? '>' : '<')} @clear{i}{label}{scope}";
        var (found, measured) = rule.Kind switch
        {
            AlertKind.Threshold => (Where(Series(metric!, rule.Of), beyond), Measured(metric!)),
            AlertKind.Forecast => (Where(Forecast(i, rule, metric!), beyond), Measured(metric!)),
            AlertKind.Rate when Rate(i, rule, metric!) is var rate => (Where(rate, beyond), $"({rate}) rate{i} where true"),
            AlertKind.Absence => (Absence(i, rule, metric!) + scope, "subject where true"),
            _ => (State(i, rule) + scope, $"health where {Tells(rule.Condition!.Value)}"),
        };
        branches.Add($"select {i} as rule, server_id, name, label, value from ({found}) found{i}");
        branches.Add($"select {i}, server_id, name, null, null from {measured} and server_id = any(@open{i})");
    }

    public (string Sql, DynamicParameters Parameters) Build(Guid[] open)
    {
        parameters.Add("open", open);
        branches.Add("select -1, server_id, name, null, null from subject where server_id = any(@open)");
        List<string> parts = [HealthSql.Subject];
        if (columns.Count > 0)
        {
            parts.Add(Beats());
        }

        if (asksSubnets)
        {
            // Kea is looked at as often as it is asked for, and told of with the sample after.
            parameters.Add("toldSince", now - fresh - 2 * TimeSpan.FromSeconds(current.Monitor.Services.GetValueOrDefault("dhcp")));
            parts.Add(Subnets);
        }

        if (asksHealth)
        {
            parts.Add(HealthSql.Health);
        }

        return ($"with {string.Join(",\n", parts)}\n{string.Join("\nunion all ", branches)}", parameters);
    }

    /// <summary>As Kea told last.</summary>
    private const string Subnets = """
        subnet as materialized (
            select s.server_id, s.name, d.subnet::text as label, d.total, d.assigned, d.declined from subject s
            cross join lateral (select max(at) as at from monitoring.dhcp_subnet where server_id = s.server_id and at > @toldSince) told
            join monitoring.dhcp_subnet d on d.server_id = s.server_id and d.at = told.at)
        """;

    private static string Where(string series, string condition) => $"select * from ({series}) series where {condition}";

    private string Measured(RuleMetric metric) => metric.Sql.IsOfSubnet ? "subnet where true" : $"beat where {Column(metric)} is not null";

    private string Column(RuleMetric metric)
    {
        columns[metric.Sql.Column] = metric.Sql.Service;
        return metric.Sql.Column;
    }

    private string Series(RuleMetric metric, string? of)
    {
        var whole = of is null ? null : MetricSql.Parse(of)!;
        if (metric.Sql.IsOfSubnet)
        {
            asksSubnets = true;
            return $"select server_id, name, label, {metric.Sql.Value}::double precision{(whole is null ? "" : $" / nullif({whole.Sql.Value}, 0)")} as value from subnet";
        }

        Column(metric);
        if (whole is not null)
        {
            Column(whole);
        }

        var value = whole is null ? $"({metric.Sql.Value})::double precision" : $"({metric.Sql.Value})::double precision / nullif({whole.Sql.Value}, 0)";
        return metric.Sql.LabelKey is { } key
            ? $"select server_id, name, e->>'{key}' as label, {value} as value from beat cross join lateral jsonb_array_elements({metric.Sql.Column}) e"
            : $"select server_id, name, '' as label, {value} as value from beat";
    }

    private string Forecast(string i, AlertRule rule, RuleMetric metric)
    {
        parameters.Add($"trend{i}", metric.Metric.Name);
        return $"""
            select used.server_id, used.name, used.label, greatest(0, whole.value - used.value) / t.per_second as value
            from ({Series(metric, null)}) used
            join ({Series(MetricSql.Parse(rule.Of!)!, null)}) whole on whole.server_id = used.server_id and whole.label = used.label
            join alerts.trend t on t.metric = @trend{i} and t.server_id = used.server_id and t.label = used.label
            """;
    }

    /// <summary>Between the first and the last measurement of the window. A counter that is less than before, or whose host has started since, began from nothing.</summary>
    private string Rate(string i, AlertRule rule, RuleMetric metric)
    {
        parameters.Add($"from{i}", now.AddSeconds(-rule.WindowSeconds!.Value));
        parameters.Add($"half{i}", rule.WindowSeconds.Value / 2.0);
        var column = metric.Sql.Column;
        var (label, value, elements) = metric.Sql.LabelKey is { } key ? ($"e->>'{key}'", metric.Sql.Value, $"jsonb_array_elements(b.{column}) e") : ("''", $"b.{metric.Sql.Value}", "(select) e");
        var growth = metric.Metric.Kind == MetricKind.Counter
            ? "case when until.value < since.value or until.uptime < seconds then until.value else until.value - since.value end"
            : "until.value - since.value";
        return $"""
            select s.server_id, s.name, until.label, {growth} / seconds as value
            from subject s
            cross join lateral ({One("desc")}) until
            join lateral ({One("asc")}) since on since.label = until.label
            cross join lateral (select extract(epoch from until.at - since.at)::double precision as seconds) span
            where seconds >= @half{i}
            """;

        string One(string order) => $"""
            select b.at, b.uptime, {label} as label, ({value})::double precision as value
            from (select h.* from monitoring.heartbeat h where h.server_id = s.server_id and h.at > @from{i} and h.{column} is not null order by h.at {order} limit 1) b
            cross join lateral {elements}
            """;
    }

    private string Absence(string i, AlertRule rule, RuleMetric metric)
    {
        parameters.Add($"from{i}", now.AddSeconds(-rule.WindowSeconds!.Value));
        var there = metric.Label is null ? "" : $" and exists (select from jsonb_array_elements(h.{metric.Sql.Column}) e where e->>'{metric.Sql.LabelKey}' = @label{i})";
        return $"""
            select server_id, name, coalesce(@label{i}::text, '') as label, null::double precision as value from subject
            where not exists (select from monitoring.heartbeat h where h.server_id = subject.server_id and h.at > @from{i} and h.{metric.Sql.Column} is not null{there})
            """;
    }

    private string State(string i, AlertRule rule)
    {
        asksHealth = true;
        if (rule.Condition == HealthState.ComponentDown)
        {
            return "select server_id, name, component as label, null::double precision as value from health join down using (server_id) where state = 'componentDown'";
        }

        parameters.Add($"state{i}", AlertWords.Of(rule.Condition!.Value));
        return $"select server_id, name, '' as label, null::double precision as value from health where state = @state{i}";
    }

    /// <summary>A host that says nothing does not say that its Docker is well again.</summary>
    private static string Tells(HealthState state) => state is HealthState.DockerDead or HealthState.ComponentDown ? "state not in ('unreachable', 'agentSilent')" : "true";

    /// <summary>What is measured less often than beats come is in an older one.</summary>
    private string Beats()
    {
        var selected = columns.Select(c =>
        {
            var interval = c.Value is null ? TimeSpan.Zero : TimeSpan.FromSeconds(current.Agent.Services.GetValueOrDefault(c.Value));
            if (interval <= current.HeartbeatInterval)
            {
                return $"b.{c.Key}";
            }

            parameters.Add($"since_{c.Key}", now - fresh - interval);
            return $"""
                coalesce(b.{c.Key}, (
                    select h.{c.Key} from monitoring.heartbeat h
                    where h.server_id = subject.server_id and h.at > @since_{c.Key} and h.{c.Key} is not null order by h.at desc limit 1)) as {c.Key}
                """;
        });
        return $"""
            beat as materialized (
                select subject.server_id, subject.name, {string.Join(", ", selected)}
                from subject
                left join lateral (
                    select {string.Join(", ", columns.Keys.Select(c => $"h.{c}"))} from monitoring.heartbeat h
                    where h.server_id = subject.server_id and h.at > @fresh order by h.at desc limit 1) b on true)
            """;
    }
}
