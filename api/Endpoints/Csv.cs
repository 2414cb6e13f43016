using System.Globalization;
using System.Text;
using ManagedServers.Workflows;

namespace ManagedServers.Api.Endpoints;

/// <summary>Answers as comma-separated values (RFC 4180), for whoever asks with <c>?format=csv</c>.</summary>
internal static class Csv
{
    /// <exception cref="InvalidInputException">It is neither json nor csv.</exception>
    public static bool IsAsked(string? format) =>
        format is null or "json" or "csv" ? format == "csv" : throw new InvalidInputException("format", "must be json or csv");

    public static IResult Answer(string[] columns, IEnumerable<object?[]> rows)
    {
        var text = new StringBuilder();
        foreach (var row in rows.Prepend(columns))
        {
            text.AppendJoin(',', row.Select(Field)).Append("\r\n");
        }

        return Results.Text(text.ToString(), "text/csv", Encoding.UTF8);
    }

    private static string Field(object? value)
    {
        var text = value switch
        {
            null => "",
            DateTimeOffset at => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.FFFZ", CultureInfo.InvariantCulture),
            _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        };
        // Names come from hosts and from whoever asks them.
        return text.IndexOfAny(['"', ',', '\r', '\n']) >= 0 ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }
}
