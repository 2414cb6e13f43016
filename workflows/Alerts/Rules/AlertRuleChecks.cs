using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Alerts;

/// <summary>What a rule may be.</summary>
internal static class AlertRuleChecks
{
    public const int MostServers = 1000;
    private const int LongestDescription = 500;
    private const int LongestFor = 86_400;

    // Beats stand as rows for so long.
    private const int LongestWindow = 3600;

    /// <summary>With everything that is not given as it was, or at first. The servers are the caller's to look up.</summary>
    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    public static AlertRule Merge(AlertRuleRequest request, AlertRule? before)
    {
        var errors = new InputErrors();
        if (before is null && request.Kind is null)
        {
            errors.Add("kind", "must be threshold, absence, rate, forecast or state");
        }

        if (before is not null && request.Kind is { } kind && kind != before.Kind)
        {
            errors.Add("kind", "cannot be changed: add another rule");
        }

        var value = request.Value ?? before?.Value;
        var rule = new AlertRule
        {
            Id = before?.Id ?? Guid.CreateVersion7(),
            Name = before is not null && request.Name is null ? before.Name : errors.Parse<DisplayName>("name", request.Name)?.Text ?? "",
            Description = (request.Description ?? before?.Description ?? "").Trim(),
            Enabled = request.Enabled ?? before?.Enabled ?? true,
            Severity = request.Severity ?? before?.Severity ?? AlertSeverity.Warning,
            Kind = before?.Kind ?? request.Kind ?? AlertKind.Threshold,
            Metric = request.Metric ?? before?.Metric,
            Of = (request.Of ?? before?.Of) is { Length: > 0 } whole ? whole : null,
            Condition = request.Condition ?? before?.Condition,
            Comparison = request.Comparison ?? before?.Comparison,
            Value = value,
            // One without hysteresis goes on without.
            ClearValue = request.ClearValue ?? (before is null || before.ClearValue == before.Value ? value : before.ClearValue),
            WindowSeconds = request.WindowSeconds ?? before?.WindowSeconds,
            ForSeconds = request.ForSeconds ?? before?.ForSeconds ?? 120,
        };
        if (errors.None)
        {
            rule = rule with { WindowSeconds = rule.WindowSeconds ?? (rule.Kind is AlertKind.Rate or AlertKind.Absence ? 300 : null), Comparison = rule.Kind == AlertKind.Forecast ? AlertComparison.Below : rule.Comparison };
            Check(rule, errors);
        }

        errors.ThrowIfAny();
        return rule;
    }

    private static void Check(AlertRule rule, InputErrors errors)
    {
        if (rule.Description.Length > LongestDescription || rule.Description.Any(char.IsControl))
        {
            errors.Add("description", $"must be one line of at most {LongestDescription} characters");
        }

        Range("forSeconds", rule.ForSeconds, 0, LongestFor, errors);
        if (!Enum.IsDefined(rule.Kind) || !Enum.IsDefined(rule.Severity) || (rule.Comparison is { } c && !Enum.IsDefined(c)) || (rule.Condition is { } s && !Enum.IsDefined(s)))
        {
            errors.Add("kind", "and severity, comparison and condition must be words that are known");
        }

        var given = new (string Field, bool Given, bool Needed, bool Possible)[]
        {
            ("metric", rule.Metric is not null, rule.Kind != AlertKind.State, rule.Kind != AlertKind.State),
            ("of", rule.Of is not null, rule.Kind == AlertKind.Forecast, rule.Kind is AlertKind.Threshold or AlertKind.Forecast),
            ("condition", rule.Condition is not null, rule.Kind == AlertKind.State, rule.Kind == AlertKind.State),
            ("comparison", rule.Comparison is not null, rule.Kind is AlertKind.Threshold or AlertKind.Rate, rule.Kind is AlertKind.Threshold or AlertKind.Rate or AlertKind.Forecast),
            ("value", rule.Value is not null, rule.Kind is AlertKind.Threshold or AlertKind.Rate or AlertKind.Forecast, rule.Kind is AlertKind.Threshold or AlertKind.Rate or AlertKind.Forecast),
            ("windowSeconds", rule.WindowSeconds is not null, false, rule.Kind is AlertKind.Rate or AlertKind.Absence),
        };
        foreach (var (field, isGiven, needed, possible) in given)
        {
            if (needed && !isGiven)
            {
                errors.Add(field, $"is needed for the kind {Word(rule.Kind)}");
            }
            else if (isGiven && !possible)
            {
                errors.Add(field, $"has no meaning for the kind {Word(rule.Kind)}");
            }
        }

        if (rule.Condition == HealthState.Healthy)
        {
            errors.Add("condition", "healthy is no reason for an alert");
        }

        if (rule.WindowSeconds is { } window)
        {
            Range("windowSeconds", window, 60, LongestWindow, errors);
        }

        Values(rule, errors);
        Metrics(rule, errors);
    }

    private static void Values(AlertRule rule, InputErrors errors)
    {
        if (rule.Value is { } value && !double.IsFinite(value))
        {
            errors.Add("value", "must be a number");
        }

        if (rule is { Kind: AlertKind.Forecast, Value: < 3600 or > 31_536_000 })
        {
            errors.Add("value", "of a forecast must be 3600 (an hour) to 31536000 (a year) seconds");
        }

        if (rule is { Value: { } limit, ClearValue: { } clear, Comparison: { } comparison } && double.IsFinite(limit) && (!double.IsFinite(clear) || (comparison == AlertComparison.Above ? clear > limit : clear < limit)))
        {
            errors.Add("clearValue", comparison == AlertComparison.Above ? "must not be above value" : "must not be below value");
        }
    }

    private static void Metrics(AlertRule rule, InputErrors errors)
    {
        var metric = rule.Metric is null ? null : MetricSql.Parse(rule.Metric);
        var whole = rule.Of is null ? null : MetricSql.Parse(rule.Of);
        if (rule.Metric is not null && metric is null)
        {
            errors.Add("metric", $"'{rule.Metric}' is not known. For example load.1, memory.available, disk.used or disk.used{{/}}; all of them: GET /api/v2/monitoring/metrics");
        }

        if (rule.Of is not null && (whole is null || whole.Label is not null || (metric is not null && !metric.Sql.GoesWith(whole.Sql))))
        {
            errors.Add("of", "must be a metric without a label of which the other one is a part, as disk.total is of disk.used");
        }

        if (rule.Kind is AlertKind.Rate or AlertKind.Absence && metric is { Sql.IsOfSubnet: true })
        {
            errors.Add("metric", $"{metric.Metric.Name} can be watched by a threshold or a forecast");
        }

        if (rule.Kind == AlertKind.Absence && metric is { Label: null, Sql.LabelKey: not null })
        {
            errors.Add("metric", $"needs its label, as in {metric.Metric.Name}{{…}}: of those that are not there nobody knows the names");
        }
    }

    private static void Range(string field, int value, int least, int most, InputErrors errors)
    {
        if (value < least || value > most)
        {
            errors.Add(field, $"must be {least} to {most} seconds");
        }
    }

    private static string Word(AlertKind kind) => kind.ToString().ToLowerInvariant();
}
