namespace ManagedServers.Workflows.Alerts;

public enum NotificationKind { Alerts, Test }

/// <summary>pending: it is so, and not for long enough; firing; resolved: it is over.</summary>
public enum AlertState { Pending, Firing, Resolved }

/// <summary>A message to a channel, as webhooks and RabbitMQ get it.</summary>
public sealed record NotificationContent
{
    /// <summary>The same however often it is tried: a receiver that has it already has all of it.</summary>
    public required Guid Id { get; init; }
    public required DateTimeOffset At { get; init; }
    public required NotificationKind Kind { get; init; }

    /// <summary>The worst of them.</summary>
    public required AlertSeverity Severity { get; init; }

    /// <summary>Alerts that fire now.</summary>
    public required int Firing { get; init; }

    /// <summary>Alerts that were told before and are over.</summary>
    public required int Resolved { get; init; }

    /// <summary>Those that fire first, the worst of them first; at most 100.</summary>
    public required IReadOnlyList<NotifiedAlert> Alerts { get; init; }

    /// <summary>In one line.</summary>
    public string Subject() => Kind == NotificationKind.Test ? "Test of a notification"
        : Alerts.Count == 1 ? $"{(Alerts[0].State == AlertState.Resolved ? "over" : Severity.ToString().ToLowerInvariant())}: {Alerts[0].Rule} on {Alerts[0].Server}"
        : string.Join(", ", new[] { Firing > 0 ? $"{Firing} firing" : null, Resolved > 0 ? $"{Resolved} over" : null }.OfType<string>()) + $" ({Severity.ToString().ToLowerInvariant()})";
}

public sealed record NotifiedAlert(
    Guid Id, AlertState State, AlertSeverity Severity, string Rule, string Server, string? Label, string Summary, double? Value, DateTimeOffset Since, DateTimeOffset FiredAt, DateTimeOffset? ResolvedAt, string? ResolvedWhy);
