using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Settings;

namespace ManagedServers.Workflows.Alerts;

/// <summary>The module "Alerts": how often rules are evaluated, and how long what is over is kept.</summary>
public sealed record AlertSettings
{
    /// <summary>Its place among the settings.</summary>
    public static SettingsModule<AlertSettings> Module { get; } = new("alerts", "Alerts", (settings, refuse) => settings.Check(refuse));

    /// <summary>Between two evaluations of all rules.</summary>
    public int EvaluationIntervalSeconds { get; init; } = 30;

    /// <summary>Alerts that are over, and what was sent about them.</summary>
    public int KeptDays { get; init; } = 90;

    private void Check(Action<string, string> refuse)
    {
        MonitoringSettings.Range(EvaluationIntervalSeconds, 5, 3600, "evaluationIntervalSeconds", "seconds", refuse);
        MonitoringSettings.Range(KeptDays, 1, 3660, "keptDays", "days", refuse);
    }
}
