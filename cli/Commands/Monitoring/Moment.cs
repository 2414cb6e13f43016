using System.CommandLine;
using System.Globalization;

namespace ManagedServers.Cli.Commands.Monitoring;

/// <summary>A time as people write it: an ISO time, or how long ago.</summary>
internal static class Moment
{
    private const double LongestDays = 36_500;   // what a time can hold; nobody asks for a century

    /// <summary>What an option says; null where it is not given.</summary>
    public static DateTimeOffset? Of(Invocation call, Option<string?> option) =>
        call.Get(option) is not { } text ? null
        : Parse(text, call.Now) ?? throw new UsageException($"{option.Name} {text}: neither a time nor how long ago.", "For example 2026-01-31T08:00Z, or 30m, 24h, 7d");

    /// <summary>Null when the text is neither. A time without a zone is UTC, as all times are that msctl prints.</summary>
    public static DateTimeOffset? Parse(string text, DateTimeOffset now)
    {
        var trimmed = text.Trim();
        if (trimmed is "now")
        {
            return now;
        }

        if (Ago(trimmed) is { } span)
        {
            return now - span;
        }

        var iso = trimmed.Length >= 10 && char.IsAsciiDigit(trimmed[0]) && trimmed[4] == '-';
        return iso && DateTimeOffset.TryParse(trimmed, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) ? at : null;
    }

    private static TimeSpan? Ago(string text)
    {
        if (text.Length < 2 || !double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount))
        {
            return null;
        }

        double? days = text[^1] switch
        {
            's' => amount / 86_400,
            'm' => amount / 1_440,
            'h' => amount / 24,
            'd' => amount,
            'w' => amount * 7,
            _ => null,
        };
        return days is <= LongestDays ? TimeSpan.FromDays(days.Value) : null;
    }
}
