using System.Globalization;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Monitoring;

/// <summary>Values in the unit of their metric.</summary>
internal static class MetricText
{
    public static string Of(MetricLine series, double? value)
    {
        if (value is not { } number)
        {
            return "";
        }

        var text = series.Unit switch
        {
            "bytes" => Words.Bytes((long)Math.Min(number, long.MaxValue)),
            "share" => string.Create(CultureInfo.InvariantCulture, $"{number * 100:0.0} %"),
            "seconds" => Words.Span(TimeSpan.FromSeconds(number)),
            _ => number.ToString(number % 1 == 0 ? "0" : "0.00", CultureInfo.InvariantCulture),
        };
        return series.Kind == "counter" ? text + "/s" : text;
    }
}
