using System.Globalization;
using System.Text;

namespace ManagedServers.Workflows.Alerts;

/// <summary>A notification for people.</summary>
internal static class NotificationText
{
    public static string Of(NotificationContent content)
    {
        if (content.Kind == NotificationKind.Test)
        {
            return "This is a test: alerts would come like this.\n";
        }

        var text = new StringBuilder();
        foreach (var alert in content.Alerts)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(alert.State == AlertState.Resolved ? "over" : alert.Severity.ToString().ToLowerInvariant())}: {alert.Rule} on {alert.Server}{(alert.Label is null ? "" : $" ({alert.Label})")}\n");
            text.Append(CultureInfo.InvariantCulture, $"  {alert.Summary}\n  since {Time(alert.Since)}");
            text.Append(alert.ResolvedAt is { } over ? $", over at {Time(over)}: {alert.ResolvedWhy}\n\n" : "\n\n");
        }

        var left = content.Firing + content.Resolved - content.Alerts.Count;
        return text.Append(left > 0 ? $"and {left} more: msctl alerts list\n" : "").ToString();
    }

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
