using System.Globalization;
using System.Text;
using ManagedServers.Workflows;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Api.Endpoints;

/// <summary>What was measured on servers.</summary>
internal static class MetricEndpoints
{
    public static void MapMetrics(this RouteGroupBuilder api)
    {
        api.MapGet("/monitoring/metrics", () => MetricCatalogue.All)
            .RequireAuthorization(nameof(Right.Read)).WithTags("Monitoring").WithSummary("The metrics that servers may have, with their units");

        api.MapGet("/pvservers/{server}/metrics", async (
            string server, string[]? metric, DateTimeOffset? from, DateTimeOffset? to, int? points, string? format, Servers servers, Metrics metrics, CancellationToken cancellationToken) =>
        {
            if (format is not (null or "json" or "csv"))
            {
                throw new InvalidInputException("format", "must be json or csv");
            }

            var found = await servers.Get(server, cancellationToken);
            var answer = await metrics.Query(found.Id, new MetricsQuery { Metrics = metric ?? [], From = from, To = to, Points = points ?? new MetricsQuery().Points }, cancellationToken);
            return format == "csv" ? Results.Text(Csv(answer), "text/csv", Encoding.UTF8) : Results.Ok(answer);
        }).RequireAuthorization(nameof(Right.Read)).WithTags("Monitoring").Produces<MetricsAnswer>().Produces<string>(200, "text/csv").ProducesProblem(400).ProducesProblem(404)
            .WithSummary("What was measured on a server, over any time, in as many values as are asked for; no value where nothing was measured");
    }

    private static string Csv(MetricsAnswer answer)
    {
        var text = new StringBuilder("metric,unit,at,value,min,max,increase,count\r\n");
        foreach (var series in answer.Series)
        {
            // The label comes from the host.
            var name = $"\"{series.Name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
            foreach (var point in series.Points)
            {
                text.Append(CultureInfo.InvariantCulture, $"{name},{series.Unit},{point.At.UtcDateTime:yyyy-MM-ddTHH:mm:ss.FFFZ},{point.Value},{point.Min},{point.Max},{point.Increase},{point.Count}\r\n");
            }
        }

        return text.ToString();
    }
}
