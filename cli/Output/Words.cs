using System.Globalization;

namespace ManagedServers.Cli.Output;

/// <summary>Times, spans and amounts as operators read them; times always UTC, so that two operators read the same.</summary>
internal static class Words
{
    public static string Time(DateTimeOffset? at) => at?.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "";

    /// <summary>One word, for lines that programs cut at blanks.</summary>
    public static string Stamp(DateTimeOffset at) => at.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string Span(TimeSpan span) => span switch
    {
        { Ticks: < 0 } => "0.0 s",
        { TotalSeconds: < 10 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.0} s"),
        { TotalSeconds: < 60 } => $"{(int)span.TotalSeconds} s",
        { TotalHours: < 1 } => $"{span.Minutes} min {span.Seconds:00} s",
        { TotalDays: < 1 } => $"{span.Hours} h {span.Minutes:00} min",
        _ => $"{(int)span.TotalDays} d {span.Hours} h",
    };

    public static string Ago(DateTimeOffset? at, DateTimeOffset now) =>
        at is not { } then ? "never" : now - then < TimeSpan.FromSeconds(1) ? "now" : $"{Rough(now - then)} ago";

    public static string Bytes(long? amount)
    {
        if (amount is not { } bytes)
        {
            return "";
        }

        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        var (value, unit) = ((double)bytes, 0);
        for (; value >= 1024 && unit < units.Length - 1; unit++)
        {
            value /= 1024;
        }

        return $"{value.ToString(unit == 0 || value >= 100 ? "0" : "0.0", CultureInfo.InvariantCulture)} {units[unit]}";
    }

    public static string Number(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);

    public static string Count(long value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Many(long count, string one, string? several = null) => $"{Count(count)} {(count == 1 ? one : several ?? one + "s")}";

    private static string Rough(TimeSpan span) => span switch
    {
        { TotalSeconds: < 60 } => $"{(int)span.TotalSeconds} s",
        { TotalMinutes: < 60 } => $"{(int)span.TotalMinutes} min",
        { TotalHours: < 48 } => $"{(int)span.TotalHours} h",
        _ => $"{(int)span.TotalDays} d",
    };
}
