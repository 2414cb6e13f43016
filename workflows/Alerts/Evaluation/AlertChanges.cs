namespace ManagedServers.Workflows.Alerts;

/// <summary>An alert that is not over, as far as the next evaluation needs it.</summary>
internal sealed record OpenAlert(Guid Id, Guid RuleId, Guid ServerId, string Label, bool IsFiring, double? Value, DateTime Since);

/// <summary>An alert that is new.</summary>
internal sealed record NewAlert(AlertRule Rule, Guid ServerId, string Server, string Label, double? Value, string Summary, bool Fires);

/// <summary>What an evaluation changes: pure, so that every case of it can be told by a table.</summary>
internal sealed class AlertChanges
{
    public List<NewAlert> New { get; } = [];
    public List<OpenAlert> Fires { get; } = [];

    /// <summary>Firing alerts that are over, each with the reason.</summary>
    public List<(OpenAlert Alert, string Why)> Resolved { get; } = [];

    /// <summary>Pending alerts that were over before they fired.</summary>
    public List<OpenAlert> Forgotten { get; } = [];

    /// <summary>Those whose value is another one.</summary>
    public List<(OpenAlert Alert, double? Value, string Summary)> Moved { get; } = [];

    /// <param name="rules">In the order of their findings' numbers.</param>
    /// <param name="held">Rules that are not judged this time: their alerts stay as they are.</param>
    public static AlertChanges Of(IReadOnlyList<AlertRule> rules, IReadOnlySet<Guid> held, IEnumerable<OpenAlert> open, IEnumerable<Finding> findings, DateTime now)
    {
        var changes = new AlertChanges();
        var known = open.ToDictionary(a => (a.RuleId, a.ServerId, a.Label));
        var measured = new HashSet<(Guid Rule, Guid Server)>();
        var expected = new HashSet<Guid>();
        var seen = new HashSet<Guid>();
        var added = new HashSet<(Guid, Guid, string)>();
        foreach (var finding in findings)
        {
            if (finding.Rule < 0)
            {
                expected.Add(finding.ServerId);
            }
            else if (finding.Label is null)
            {
                measured.Add((rules[finding.Rule].Id, finding.ServerId));
            }
            else if (known.TryGetValue((rules[finding.Rule].Id, finding.ServerId, finding.Label), out var alert))
            {
                seen.Add(alert.Id);
                changes.Compare(rules[finding.Rule], alert, finding, now);
            }
            else if (rules[finding.Rule].IsBreached(finding.Value) && added.Add((rules[finding.Rule].Id, finding.ServerId, finding.Label)))
            {
                var rule = rules[finding.Rule];
                changes.New.Add(new NewAlert(rule, finding.ServerId, finding.Server, finding.Label, finding.Value, AlertWords.Summary(rule, finding.Label, finding.Value), rule.ForSeconds == 0));
            }
        }

        var watching = rules.Select(r => r.Id).ToHashSet();
        foreach (var alert in known.Values.Where(a => !seen.Contains(a.Id) && !held.Contains(a.RuleId)))
        {
            // Of a host that says nothing nobody knows whether it is over.
            if (!watching.Contains(alert.RuleId) || !expected.Contains(alert.ServerId) || measured.Contains((alert.RuleId, alert.ServerId)))
            {
                changes.End(alert, !watching.Contains(alert.RuleId) ? "the rule was removed or switched off" : !expected.Contains(alert.ServerId) ? "nothing is installed on the server any more" : "it is over");
            }
        }

        return changes;
    }

    private void Compare(AlertRule rule, OpenAlert alert, Finding finding, DateTime now)
    {
        if (!alert.IsFiring && !rule.IsBreached(finding.Value))
        {
            // Between the limit and the clear value: nothing that would have to last.
            Forgotten.Add(alert);
            return;
        }

        if (!alert.IsFiring && now - alert.Since >= TimeSpan.FromSeconds(rule.ForSeconds))
        {
            Fires.Add(alert);
        }

        var summary = AlertWords.Summary(rule, alert.Label, finding.Value);
        if (alert.Value != finding.Value && summary != AlertWords.Summary(rule, alert.Label, alert.Value))
        {
            Moved.Add((alert, finding.Value, summary));
        }
    }

    private void End(OpenAlert alert, string why)
    {
        if (alert.IsFiring)
        {
            Resolved.Add((alert, why));
        }
        else
        {
            Forgotten.Add(alert);
        }
    }
}
