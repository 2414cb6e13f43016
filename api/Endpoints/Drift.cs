using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Drift;
using static ManagedServers.Api.Endpoints.Changes;

namespace ManagedServers.Api.Endpoints;

/// <summary>Where hosts are not as they were asked to be.</summary>
internal static class Drift
{
    public static void MapDrift(this RouteGroupBuilder api)
    {
        var all = api.MapGroup("/drift").WithTags("Drift");
        all.MapGet("", async (DriftFindings findings, CancellationToken cancellationToken) => new ListAnswer(await findings.List(cancellationToken)))
            .RequireAuthorization(nameof(Right.Read)).WithSummary("Servers with drift, and those that could not be looked at");
        all.MapPost("/check", async (DriftAnswers drift, HttpContext context, CancellationToken cancellationToken) =>
                Started(await drift.Check(null, context.User.Identity!.Name!, IdempotencyKey(context), cancellationToken)))
            .RequireAuthorization(nameof(Right.Operate)).Produces<StartedAnswer>(202).WithSummary("Look at all servers now; changes nothing on them");

        var one = api.MapGroup("/pvservers/{server}/drift").WithTags("Drift");
        one.MapGet("", (string server, DriftAnswers drift, CancellationToken cancellationToken) => drift.Of(server, cancellationToken))
            .RequireAuthorization(nameof(Right.Read)).ProducesProblem(404).WithSummary("What the last look at a host has found");
        one.MapPost("/check", async (string server, DriftAnswers drift, HttpContext context, CancellationToken cancellationToken) =>
                Started(await drift.Check(server, context.User.Identity!.Name!, IdempotencyKey(context), cancellationToken)))
            .RequireAuthorization(nameof(Right.Operate)).Produces<StartedAnswer>(202).ProducesProblem(404).WithSummary("Look at a host now; changes nothing on it");
        one.MapPost("/reapply", async (string server, CommandsRequest? request, bool? plan, ConfigurationChanges changes, HttpContext context, CancellationToken cancellationToken) =>
                await Answer(await changes.Reapply(server, request ?? new(), cancellationToken), plan, context, cancellationToken))
            .RequireAuthorization(nameof(Right.Operate)).ProducesChange().ProducesProblem(409).WithSummary("Put back what was asked for");
        one.MapPost("/accept", async (string server, AcceptRequest? request, bool? plan, DriftAnswers drift, HttpContext context, CancellationToken cancellationToken) =>
                await Answer(await drift.Accept(server, request ?? new(), context.User.Identity!.Name!, IdempotencyKey(context), cancellationToken), plan, context, cancellationToken))
            .RequireAuthorization(nameof(Right.Operate)).ProducesChange().ProducesProblem(409).WithSummary("Make the files on the host the next version");
    }

    private sealed record ListAnswer(IReadOnlyList<ServerDrift> Items);
}
