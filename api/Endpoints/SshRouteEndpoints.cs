using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Routes;

namespace ManagedServers.Api.Endpoints;

/// <summary>The family of SSH routes: stored chains of jump hosts.</summary>
internal static class SshRouteEndpoints
{
    public static void MapSshRoutes(this RouteGroupBuilder api)
    {
        var routes = api.MapGroup("/sshroutes").WithTags("SSH routes");

        routes.MapGet("", async (SshRoutes routes, string? after, int? limit, CancellationToken cancellationToken) =>
        {
            var size = Limits.Check(limit);
            return Page<SshRoute>.Of(await routes.List(after, size + 1, cancellationToken), size, r => r.Name);
        }).RequireAuthorization(nameof(Right.Read)).WithSummary("Routes in the order of their names");

        routes.MapPost("", async (AddRoute request, bool? plan, SshRoutes routes, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await routes.Add(request, context.User.Identity!.Name!, cancellationToken);
            if (plan == true)
            {
                return await Changes.Plan(change, context, cancellationToken);
            }

            var added = await change.Make(cancellationToken);
            return Results.Created($"/api/v2/sshroutes/{added.Id}", added);
        }).RequireAuthorization(nameof(Right.Operate)).ProducesStored<SshRoute>(201).ProducesProblem(400).ProducesProblem(409).WithSummary("Store a chain of 1 to 5 jump hosts, after signing in on each");

        routes.MapGet("/{route}", (string route, SshRoutes routes, CancellationToken cancellationToken) => routes.Get(route, cancellationToken))
            .RequireAuthorization(nameof(Right.Read)).ProducesProblem(404).WithSummary("One route, by id or name");

        routes.MapPatch("/{route}", async (string route, EditRoute request, bool? plan, SshRoutes routes, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await routes.Edit(route, request, context.User.Identity!.Name!, cancellationToken);
            return plan == true ? await Changes.Plan(change, context, cancellationToken) : Results.Ok(await change.Make(cancellationToken));
        }).RequireAuthorization(nameof(Right.Operate)).ProducesStored<SshRoute>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).WithSummary("Change a route's name or its hops, which are proven first");

        routes.MapDelete("/{route}", async (string route, bool? plan, SshRoutes routes, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await routes.Remove(route, cancellationToken);
            return plan == true ? await Changes.Plan(change, context, cancellationToken) : await Changes.Done(change, cancellationToken);
        }).RequireAuthorization(nameof(Right.Operate)).ProducesStored(204).ProducesProblem(404).ProducesProblem(409).WithSummary("Forget a route that no server uses");

        routes.MapPost("/{route}/test", async (string route, SshRoutes routes, CancellationToken cancellationToken) =>
        {
            var hops = await routes.Test(route, cancellationToken);
            return new TestAnswer(hops.All(h => h.Ok), hops);
        }).RequireAuthorization(nameof(Right.Operate)).ProducesProblem(404).WithSummary("Sign in on every hop; changes nothing");

        routes.MapGet("/{route}/history", (string route, SshRoutes routes, CancellationToken cancellationToken) => routes.History(route, cancellationToken))
            .RequireAuthorization(nameof(Right.Read)).ProducesProblem(404).WithSummary("What was changed about a route, by whom and why, newest first");
    }

    private sealed record TestAnswer(bool Ok, IReadOnlyList<HopTest> Hops);
}
