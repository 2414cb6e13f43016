using System.Text.Json.Serialization;

namespace ManagedServers.Workflows.Alerts;

/// <summary>How bad it is, the worst last.</summary>
public enum AlertSeverity { Info, Warning, Critical }

/// <summary>What a rule looks at.</summary>
public enum AlertKind
{
    /// <summary>A value is above or below a limit.</summary>
    Threshold,

    /// <summary>A metric was not measured for a while.</summary>
    Absence,

    /// <summary>A value changes faster than a limit, per second; of a counter its growth.</summary>
    Rate,

    /// <summary>What grows will reach its whole within a time.</summary>
    Forecast,

    /// <summary>The server is in a state; see <see cref="HealthState"/>.</summary>
    State,
}

public enum AlertComparison { Above, Below }

/// <summary>What is watched, and when an alert fires and is over.</summary>
public sealed record AlertRule
{
    public Guid Id { get; init; }
    public required string Name { get; init; }
    public string Description { get; init; } = "";
    public bool Enabled { get; init; } = true;
    public AlertSeverity Severity { get; init; }
    public AlertKind Kind { get; init; }

    /// <summary>Of the catalogue, as in <c>disk.used</c> or <c>disk.used{/var}</c>. Without a label each of them is looked at by itself.</summary>
    public string? Metric { get; init; }

    /// <summary>The value is the share of this one, 0 to 1: <c>disk.total</c>. Of a forecast: what will be reached.</summary>
    public string? Of { get; init; }

    /// <summary>Of the kind state.</summary>
    public HealthState? Condition { get; init; }
    public AlertComparison? Comparison { get; init; }

    /// <summary>The limit; of a forecast the seconds until it is full.</summary>
    public double? Value { get; init; }

    /// <summary>A firing alert is over beyond this one; the same as <see cref="Value"/>, or easier, so that it does not come and go at the limit.</summary>
    public double? ClearValue { get; init; }

    /// <summary>Over which time a rate is taken; how long a metric is absent.</summary>
    public int? WindowSeconds { get; init; }

    /// <summary>How long it must be so before the alert fires; until then it is pending.</summary>
    public int ForSeconds { get; init; }

    /// <summary>Names; none: all.</summary>
    public IReadOnlyList<string> Servers { get; init; } = [];
    public DateTimeOffset? ChangedAt { get; init; }
    public string? ChangedBy { get; init; }

    /// <summary>As they are stored: names may change.</summary>
    [JsonIgnore]
    internal IReadOnlyList<Guid> ServerIds { get; init; } = [];

    internal bool IsBreached(double? value) => value is not { } number || Kind is AlertKind.State or AlertKind.Absence || (Comparison == AlertComparison.Above ? number > Value : number < Value);
}

/// <summary>A rule to be added, or what is changed about one; what is not given stays, or is as it is at first.</summary>
public sealed record AlertRuleRequest
{
    public string? Name { get; init; }
    public string? Description { get; init; }
    public bool? Enabled { get; init; }
    public AlertSeverity? Severity { get; init; }

    /// <summary>Needed for a new one; never changed.</summary>
    public AlertKind? Kind { get; init; }
    public string? Metric { get; init; }

    /// <summary>Empty: none.</summary>
    public string? Of { get; init; }
    public HealthState? Condition { get; init; }
    public AlertComparison? Comparison { get; init; }
    public double? Value { get; init; }
    public double? ClearValue { get; init; }
    public int? WindowSeconds { get; init; }
    public int? ForSeconds { get; init; }

    /// <summary>Names or ids; empty: all.</summary>
    public IReadOnlyList<string>? Servers { get; init; }
}

public sealed class AlertRuleNotFoundException(string name) : Exception($"There is no alert rule '{name}'. All of them: msctl alerts rules list");
