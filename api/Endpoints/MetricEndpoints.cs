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
            var csv = Csv.IsAsked(format);
            var found = await servers.Get(server, cancellationToken);
            var answer = await metrics.Query(found.Id, new MetricsQuery { Metrics = metric ?? [], From = from, To = to, Points = points ?? new MetricsQuery().Points }, cancellationToken);
            return csv
                ? Csv.Answer(["metric", "unit", "at", "value", "min", "max", "increase", "count"],
                    from series in answer.Series from point in series.Points select new object?[] { series.Name, series.Unit, point.At, point.Value, point.Min, point.Max, point.Increase, point.Count })
                : Results.Ok(answer);
        }).RequireAuthorization(nameof(Right.Read)).WithTags("Monitoring").Produces<MetricsAnswer>().Produces<string>(200, "text/csv").ProducesProblem(400).ProducesProblem(404)
            .WithSummary("What was measured on a server, over any time, in as many values as are asked for; no value where nothing was measured");
    }
}
