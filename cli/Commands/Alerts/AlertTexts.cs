using System.Globalization;
using ManagedServers.Cli.Commands.Monitoring;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Alerts;

/// <summary>Amounts as people write them, and colours of what fires.</summary>
internal static class AlertTexts
{
    private static readonly (string Unit, double Factor)[] Units = [("%", 0.01), ("KiB", 1024), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1L << 40)];

    /// <summary>A number, a share in per cent, or an amount of bytes.</summary>
    public static double Amount(string option, string text)
    {
        var (unit, factor) = Array.Find(Units, u => text.EndsWith(u.Unit, StringComparison.OrdinalIgnoreCase));
        return double.TryParse(text.AsSpan(0, text.Length - (unit?.Length ?? 0)), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? unit is null ? number : Math.Round(number * factor, 10)
            : throw new UsageException($"{option} {SafeText.Line(text)}: not an amount.", "For example 4.5, 90% or 2GiB");
    }

    /// <summary>How long: 90s, 5m, 4d.</summary>
    public static TimeSpan Span(string option, string text, DateTimeOffset now) => text is "0" ? TimeSpan.Zero
        : Moment.Parse(text, now) is { } then && then < now && char.IsAsciiLetterLower(text[^1]) ? now - then
        : throw new UsageException($"{option} {SafeText.Line(text)}: not how long.", "For example 90s, 5m, 2h or 4d");

    public static Cell Severity(string severity) => new(severity, severity switch { "critical" => Tone.Bad, "warning" => Tone.Warning, _ => Tone.Plain });

    public static Cell State(string state) => new(state, state switch { "firing" => Tone.Bad, "pending" => Tone.Warning, _ => Tone.Good });

    /// <summary>When a rule fires, in one line.</summary>
    public static string FiresWhen(Client.AlertRule rule) => rule.Kind switch
    {
        "state" => $"the server is {rule.Condition}",
        "absence" => $"{rule.Metric} absent for {Seconds(rule.WindowSeconds)}",
        "forecast" => $"{rule.Metric} all of {rule.Of} within {Seconds(rule.Value)}",
        "rate" => $"{rule.Metric} {rule.Comparison} {Number(rule, rule.Value)}/s over {Seconds(rule.WindowSeconds)}",
        _ => $"{rule.Metric}{(rule.Of is null ? "" : $"/{rule.Of}")} {rule.Comparison} {Number(rule, rule.Value)}",
    };

    public static string? Over(Client.AlertRule rule) => rule.ClearValue is null || rule.ClearValue == rule.Value ? null : rule.Kind == "forecast" ? Seconds(rule.ClearValue) : Number(rule, rule.ClearValue);

    public static string Seconds(double? seconds) => Words.Span(TimeSpan.FromSeconds(Math.Clamp(seconds ?? 0, 0, 1e9)));

    private static string Number(Client.AlertRule rule, double? value) => value is not { } number ? "?"
        : rule.Of is not null ? string.Create(CultureInfo.InvariantCulture, $"{number * 100:0.##}%") : number.ToString(CultureInfo.InvariantCulture);
}
