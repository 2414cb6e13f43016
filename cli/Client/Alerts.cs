namespace ManagedServers.Cli.Client;

/// <summary>What a rule has found on a server.</summary>
public sealed record Alert
{
    /// <summary>Identifier.</summary>
    public Guid Id { get; init; }

    /// <summary>The rule's name.</summary>
    public required string Rule { get; init; }

    /// <summary><c>info</c>, <c>warning</c> or <c>critical</c>.</summary>
    public required string Severity { get; init; }

    /// <summary><c>pending</c>, <c>firing</c> or <c>resolved</c>.</summary>
    public required string State { get; init; }

    /// <summary>The server's name.</summary>
    public required string Server { get; init; }

    /// <summary>The mount, the interface or the component.</summary>
    public string? Label { get; init; }

    /// <summary>In words.</summary>
    public required string Summary { get; init; }

    /// <summary>Since when it is so.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>Null while it is pending.</summary>
    public DateTimeOffset? FiredAt { get; init; }

    /// <summary>When it was over.</summary>
    public DateTimeOffset? ResolvedAt { get; init; }

    /// <summary>Nobody is notified until then.</summary>
    public DateTimeOffset? MaintenanceUntil { get; init; }
}

/// <summary>The state of a server.</summary>
public sealed record ServerHealth
{
    /// <summary>Its name.</summary>
    public required string Server { get; init; }

    /// <summary>For example <c>healthy</c> or <c>dockerDead</c>.</summary>
    public required string State { get; init; }

    /// <summary>The state in words.</summary>
    public string? Reason { get; init; }

    /// <summary>Null where none came of late.</summary>
    public DateTimeOffset? LastHeartbeatAt { get; init; }

    /// <summary>Alerts that fire.</summary>
    public int Firing { get; init; }

    /// <summary>Alerts that have not lasted long enough.</summary>
    public int Pending { get; init; }

    /// <summary>Nobody is notified until then.</summary>
    public DateTimeOffset? MaintenanceUntil { get; init; }
}

/// <summary>What is watched.</summary>
public sealed record AlertRule
{
    /// <summary>Unique.</summary>
    public required string Name { get; init; }

    /// <summary>In one line.</summary>
    public string? Description { get; init; }

    /// <summary>It is evaluated.</summary>
    public bool Enabled { get; init; }

    /// <summary><c>info</c>, <c>warning</c> or <c>critical</c>.</summary>
    public required string Severity { get; init; }

    /// <summary><c>threshold</c>, <c>absence</c>, <c>rate</c>, <c>forecast</c> or <c>state</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>What is measured.</summary>
    public string? Metric { get; init; }

    /// <summary>Of what it is a share.</summary>
    public string? Of { get; init; }

    /// <summary>Of the kind state.</summary>
    public string? Condition { get; init; }

    /// <summary><c>above</c> or <c>below</c>.</summary>
    public string? Comparison { get; init; }

    /// <summary>The limit.</summary>
    public double? Value { get; init; }

    /// <summary>Where it is over.</summary>
    public double? ClearValue { get; init; }

    /// <summary>Over which time.</summary>
    public int? WindowSeconds { get; init; }

    /// <summary>How long it must be so.</summary>
    public int ForSeconds { get; init; }

    /// <summary>None: all.</summary>
    public IReadOnlyList<string> Servers { get; init => field = value ?? []; } = [];

    /// <summary>Who changed it last.</summary>
    public string? ChangedBy { get; init; }
}

/// <summary>A rule to be added, or what is changed about one; null leaves a thing as it is.</summary>
public sealed record AlertRuleChange
{
    /// <inheritdoc cref="AlertRule.Name"/>
    public string? Name { get; init; }

    /// <inheritdoc cref="AlertRule.Description"/>
    public string? Description { get; init; }

    /// <inheritdoc cref="AlertRule.Enabled"/>
    public bool? Enabled { get; init; }

    /// <inheritdoc cref="AlertRule.Severity"/>
    public string? Severity { get; init; }

    /// <inheritdoc cref="AlertRule.Kind"/>
    public string? Kind { get; init; }

    /// <inheritdoc cref="AlertRule.Metric"/>
    public string? Metric { get; init; }

    /// <inheritdoc cref="AlertRule.Of"/>
    public string? Of { get; init; }

    /// <inheritdoc cref="AlertRule.Condition"/>
    public string? Condition { get; init; }

    /// <inheritdoc cref="AlertRule.Comparison"/>
    public string? Comparison { get; init; }

    /// <inheritdoc cref="AlertRule.Value"/>
    public double? Value { get; init; }

    /// <inheritdoc cref="AlertRule.ClearValue"/>
    public double? ClearValue { get; init; }

    /// <inheritdoc cref="AlertRule.WindowSeconds"/>
    public int? WindowSeconds { get; init; }

    /// <inheritdoc cref="AlertRule.ForSeconds"/>
    public int? ForSeconds { get; init; }

    /// <inheritdoc cref="AlertRule.Servers"/>
    public IReadOnlyList<string>? Servers { get; init; }
}

/// <summary>What a rule finds now.</summary>
/// <param name="FiresWhen">In words.</param>
/// <param name="Total">How many.</param>
/// <param name="Items">Some of them.</param>
public sealed record AlertPreview(string FiresWhen, int Total, IReadOnlyList<PreviewedAlert> Items);

/// <summary>One thing that it finds.</summary>
/// <param name="Server">Where.</param>
/// <param name="Label">The mount, the interface or the component.</param>
/// <param name="Summary">In words.</param>
public sealed record PreviewedAlert(string Server, string? Label, string Summary);

/// <summary>When nobody is notified.</summary>
/// <param name="Id">Identifier.</param>
/// <param name="Server">Null: all servers.</param>
/// <param name="From">Its begin.</param>
/// <param name="To">Its end.</param>
/// <param name="Note">What is done there.</param>
/// <param name="CreatedBy">Who said so.</param>
public sealed record MaintenanceWindow(Guid Id, string? Server, DateTimeOffset From, DateTimeOffset To, string? Note, string? CreatedBy);

/// <summary>A window to be added.</summary>
/// <param name="Server">Null: all servers.</param>
/// <param name="From">Null: now.</param>
/// <param name="To">Its end.</param>
/// <param name="Note">What is done there.</param>
public sealed record NewMaintenance(string? Server, DateTimeOffset? From, DateTimeOffset To, string? Note);
