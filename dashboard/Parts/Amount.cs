using System.Globalization;

namespace ManagedServers.Dashboard.Parts;

/// <summary>Amounts as people read them.</summary>
internal static class Amount
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    public static string Bytes(long bytes)
    {
        double amount = bytes;
        var unit = 0;
        for (; amount >= 1024 && unit < Units.Length - 1; unit++)
        {
            amount /= 1024;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{amount:0.#} {Units[unit]}");
    }

    public static string Share(double share) => share >= 1 ? "100 %" : string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(share * 1000) / 10:0.0} %");

    public static string Percent(long part, long whole) => whole <= 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{100.0 * part / whole:0} %");

    /// <summary>With narrow spaces between thousands.</summary>
    public static string Count(long count) => count.ToString("#,0", CultureInfo.InvariantCulture).Replace(',', '\u202f');

    public static string Uptime(double seconds)
    {
        var span = TimeSpan.FromSeconds(Math.Clamp(seconds, 0, TimeSpan.MaxValue.TotalSeconds / 2));
        return span.TotalDays >= 1 ? $"{(int)span.TotalDays} d {span.Hours} h" : span.TotalHours >= 1 ? $"{span.Hours} h {span.Minutes} min" : $"{span.Minutes} min";
    }
}
