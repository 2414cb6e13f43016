using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Drift;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Provisioning;
using Microsoft.AspNetCore.Mvc;

namespace ManagedServers.Api.Endpoints;

/// <summary>What hosts send. The server is always the one whose token came with the request.</summary>
internal static class Reports
{
    private const int LargestBody = 1024 * 1024;

    // Twelve thousand files, each with the longest name and a digest.
    private const int LargestState = 4 * 1024 * 1024;

    public static void MapReports(this RouteGroupBuilder api)
    {
        var monitoring = api.MapGroup("/monitoring").WithTags("Monitoring").RequireAuthorization(nameof(Right.Report)).WithMetadata(new RequestSizeLimitAttribute(LargestBody));

        monitoring.MapPost("/heartbeats", async (HeartbeatReport report, Ingestion ingestion, HttpContext context, CancellationToken cancellationToken) =>
            new AcceptedReport(await ingestion.Accept(Own(context), report, cancellationToken)))
            .Produces<Accepted>(202).WithSummary("Heartbeats of the token's own server");

        monitoring.MapPost("/dns", async (DnsReport report, Ingestion ingestion, HttpContext context, CancellationToken cancellationToken) =>
            new AcceptedReport(await ingestion.Accept(Own(context), report, cancellationToken)))
            .Produces<Accepted>(202).WithSummary("DNS statistics of the token's own server");

        monitoring.MapGet("/settings", (Ingestion ingestion) => ingestion.Greet()).WithSummary("The product's time, and what a monitor is to do: for one that reports over RabbitMQ and hears no answers");

        monitoring.MapGet("/agent", () => Results.Bytes(PayloadFiles.AgentScript, "text/x-python")).WithSummary("The agent whose digest the answer to a heartbeat names");

        monitoring.MapPost("/host-state", (HostStateReport report, HostStates states, HttpContext context, CancellationToken cancellationToken) => states.Take(Own(context), report, cancellationToken))
            .WithMetadata(new RequestSizeLimitAttribute(LargestState)).ProducesProblem(400).WithSummary("What really runs on the host of the token's own server, which the product has no login to look at");
    }

    private static Guid Own(HttpContext context) => context.User.Account()!.ServerId!.Value;
}
