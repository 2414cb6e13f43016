using ManagedServers.Workflows;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Alerts;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Api.Endpoints;

/// <summary>The family of alerts: what fires, the rules, and when nobody is told.</summary>
internal static class AlertEndpoints
{
    public static void MapAlerts(this RouteGroupBuilder api)
    {
        var alerts = api.MapGroup("/alerts").WithTags("Alerts");

        alerts.MapGet("", async (string? state, string? server, Guid? before, int? limit, Servers servers, AlertList list, CancellationToken cancellationToken) =>
        {
            var size = Limits.Check(limit);
            var filter = new AlertFilter
            {
                State = state is null ? null : Words.Parse<AlertState>("state", state), Server = server is null ? null : (await servers.Get(server, cancellationToken)).Id, Before = before, Limit = size + 1,
            };
            return Page<Alert>.Of(await list.List(filter, cancellationToken), size, a => a.Id.ToString());
        }).RequireAuthorization(nameof(Right.Read)).ProducesProblem(400).ProducesProblem(404)
            .WithSummary("Alerts, the newest first: those that are not over, or those in a state (pending, firing, resolved); of one server or of all");

        Health(api);
        Rules(alerts.MapGroup("/rules"));
        Windows(alerts.MapGroup("/maintenance"));
        alerts.MapGroup("/channels").MapChannels();
    }

    private static void Health(RouteGroupBuilder api)
    {
        api.MapGet("/monitoring/health", async (string? state, string? after, int? limit, ServerHealths healths, CancellationToken cancellationToken) =>
        {
            var size = Limits.Check(limit);
            return Page<ServerHealth>.Of(await healths.List(state is null ? null : Words.Parse<HealthState>("state", state), after, size + 1, cancellationToken), size, h => h.Server);
        }).RequireAuthorization(nameof(Right.Read)).WithTags("Monitoring").ProducesProblem(400)
            .WithSummary("The state of each server on which something is installed, as heartbeats, Docker and DNS statistics tell it together; by name");

        api.MapGet("/pvservers/{server}/health", async (string server, Servers servers, ServerHealths healths, CancellationToken cancellationToken) =>
        {
            var found = await servers.Get(server, cancellationToken);
            return await healths.Of(found.Id, cancellationToken) is { } health ? Results.Ok(health) : throw new ServerConflictException("nothing-installed", $"Nothing is installed on {found.Name}: nothing is expected of it.");
        }).RequireAuthorization(nameof(Right.Read)).WithTags("Monitoring").Produces<ServerHealth>().ProducesProblem(404).ProducesProblem(409).WithSummary("The state of one server");
    }

    private static void Rules(RouteGroupBuilder rules)
    {
        rules.MapGet("", async (AlertRules rules, CancellationToken cancellationToken) => new Page<AlertRule>(await rules.List(cancellationToken), null))
            .RequireAuthorization(nameof(Right.Read)).WithSummary("What is watched, in the order of the rules' names");

        rules.MapGet("/{rule}", (string rule, AlertRules rules, CancellationToken cancellationToken) => rules.Get(rule, cancellationToken))
            .RequireAuthorization(nameof(Right.Read)).ProducesProblem(404).WithSummary("One rule, by id or name");

        rules.MapPost("", async (AlertRuleRequest request, bool? plan, AlertRules rules, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await rules.Add(request, context.User.Identity!.Name!, cancellationToken);
            if (plan == true)
            {
                return await Changes.Plan(change, context, cancellationToken);
            }

            var added = await change.Make(cancellationToken);
            return Results.Created($"/api/v2/alerts/rules/{added.Id}", added);
        }).RequireAuthorization(nameof(Right.Operate)).ProducesStored<AlertRule>(201).ProducesProblem(400).WithSummary("Add a rule");

        rules.MapPatch("/{rule}", async (string rule, AlertRuleRequest request, bool? plan, AlertRules rules, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await rules.Edit(rule, request, context.User.Identity!.Name!, cancellationToken);
            return plan == true ? await Changes.Plan(change, context, cancellationToken) : Results.Ok(await change.Make(cancellationToken));
        }).RequireAuthorization(nameof(Right.Operate)).ProducesStored<AlertRule>().ProducesProblem(400).ProducesProblem(404).WithSummary("Change a rule; what is not given stays");

        rules.MapDelete("/{rule}", async (string rule, bool? plan, AlertRules rules, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await rules.Remove(rule, cancellationToken);
            return plan == true ? await Changes.Plan(change, context, cancellationToken) : await Changes.Done(change, cancellationToken);
        }).RequireAuthorization(nameof(Right.Operate)).ProducesStored(204).ProducesProblem(404).WithSummary("Remove a rule; its alerts are over");

        rules.MapPost("/preview", (AlertRuleRequest request, AlertPreviews previews, CancellationToken cancellationToken) => previews.Of(null, request, cancellationToken))
            .RequireAuthorization(nameof(Right.Operate)).Produces<AlertPreview>().ProducesProblem(400).WithSummary("What a new rule would find now; keeps nothing");

        rules.MapPost("/{rule}/preview", (string rule, AlertRuleRequest? request, AlertPreviews previews, CancellationToken cancellationToken) => previews.Of(rule, request ?? new(), cancellationToken))
            .RequireAuthorization(nameof(Right.Operate)).Produces<AlertPreview>().ProducesProblem(400).ProducesProblem(404).WithSummary("What a rule finds now, or would find with what the body changes about it; keeps nothing");
    }

    private static void Windows(RouteGroupBuilder windows)
    {
        windows.MapGet("", async (Maintenance maintenance, CancellationToken cancellationToken) => new Page<MaintenanceWindow>(await maintenance.List(cancellationToken), null))
            .RequireAuthorization(nameof(Right.Read)).WithSummary("When nobody is notified: what is, will be, or was in the last 30 days; the latest first");

        windows.MapPost("", async (MaintenanceRequest request, bool? plan, Maintenance maintenance, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await maintenance.Add(request, context.User.Identity!.Name!, cancellationToken);
            if (plan == true)
            {
                return await Changes.Plan(change, context, cancellationToken);
            }

            var added = await change.Make(cancellationToken);
            return Results.Created($"/api/v2/alerts/maintenance/{added.Id}", added);
        }).RequireAuthorization(nameof(Right.Operate)).ProducesStored<MaintenanceWindow>(201).ProducesProblem(400).ProducesProblem(404).WithSummary("Keep alerts of a server, or of all, quiet for a time");

        windows.MapDelete("/{id:guid}", async (Guid id, bool? plan, Maintenance maintenance, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await maintenance.End(id, cancellationToken);
            return plan == true ? await Changes.Plan(change, context, cancellationToken) : await Changes.Done(change, cancellationToken);
        }).RequireAuthorization(nameof(Right.Operate)).ProducesStored(204).ProducesProblem(404).WithSummary("End a maintenance window now");
    }
}
