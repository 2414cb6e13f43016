using System.Globalization;
using System.Text.Json;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Alerts;

/// <summary>Rules, states and alerts in words, as they are stored and as operators read them.</summary>
internal static class AlertWords
{
    public static string Of<T>(T value) where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    public static T Parse<T>(string word) where T : struct, Enum => Enum.Parse<T>(word, ignoreCase: true);

    /// <summary>When a rule fires.</summary>
    public static string Condition(AlertRule rule) => rule.Kind switch
    {
        AlertKind.Threshold => $"{What(rule)} is {Of(rule.Comparison!.Value)} {Value(rule, rule.Value)}",
        AlertKind.Rate => $"{rule.Metric} changes {(rule.Comparison == AlertComparison.Above ? "faster" : "slower")} than {Value(rule, rule.Value)}/s, over {rule.WindowSeconds} s",
        AlertKind.Absence => $"{rule.Metric} was not measured for {rule.WindowSeconds} s",
        AlertKind.Forecast => $"{rule.Metric} will be all of {rule.Of} within {Value(rule, rule.Value)}",
        _ => State(rule.Condition!.Value),
    };

    /// <summary>When its alert is over; null where that says nothing more.</summary>
    public static string? Clear(AlertRule rule) => rule.ClearValue is null || rule.ClearValue == rule.Value ? null
        : $"not {(rule.Comparison == AlertComparison.Above ? "above" : "below")} {Value(rule, rule.ClearValue)}";

    /// <summary>What was found, in one line.</summary>
    public static string Summary(AlertRule rule, string label, double? value)
    {
        var about = label.Length > 0 ? $" of {label}" : "";
        return rule.Kind switch
        {
            AlertKind.Threshold => $"{What(rule)}{about} is {Value(rule, value)} ({Of(rule.Comparison!.Value)} {Value(rule, rule.Value)})",
            AlertKind.Rate => $"{rule.Metric}{about} changes by {Value(rule, value)}/s ({Of(rule.Comparison!.Value)} {Value(rule, rule.Value)}/s)",
            AlertKind.Absence => $"{rule.Metric} was not measured for {rule.WindowSeconds} s",
            AlertKind.Forecast => $"{rule.Metric}{about} will be all of {rule.Of} in {Value(rule, value)}",
            _ => State(rule.Condition!.Value),
        };
    }

    public static string State(HealthState state) => state switch
    {
        HealthState.Healthy => "all is well",
        HealthState.Degraded => "some heartbeats do not come",
        HealthState.TwoAgents => "two agents beat as this server: its host was copied, or its token is used elsewhere",
        HealthState.AgentSilent => "the agent is silent, but DNS answers and is counted",
        HealthState.Unreachable => "nothing is heard of the host",
        HealthState.DockerDead => "the host is up, and Docker is dead",
        HealthState.ComponentDown => "a component does not run",
        HealthState.CollectorSilent => "DNS queries are not counted",
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };

    private static string What(AlertRule rule) => rule.Of is null ? rule.Metric! : $"{rule.Metric}/{rule.Of}";

    private static string Value(AlertRule rule, double? value)
    {
        if (value is not { } number)
        {
            return "?";
        }

        var unit = rule.Kind == AlertKind.Forecast ? "seconds" : rule.Of is not null ? "share" : MetricSql.Parse(rule.Metric!)?.Metric.Unit;
        return unit switch
        {
            "share" => string.Create(CultureInfo.InvariantCulture, $"{number * 100:0.#} %"),
            "bytes" => Bytes(number),
            "seconds" => number >= 2 * 86_400 ? string.Create(CultureInfo.InvariantCulture, $"{number / 86_400:0.#} d") : number >= 7200 ? string.Create(CultureInfo.InvariantCulture, $"{number / 3600:0.#} h") : string.Create(CultureInfo.InvariantCulture, $"{number:0} s"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{number:0.##}"),
        };
    }

    private static string Bytes(double number)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        var unit = 0;
        for (; Math.Abs(number) >= 1024 && unit < units.Length - 1; unit++)
        {
            number /= 1024;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{number:0.#} {units[unit]}");
    }
}
