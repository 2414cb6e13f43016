using ManagedServers.Engine;
using ManagedServers.Workflows;
using ManagedServers.Workflows.Enrolment;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace ManagedServers.Api.Endpoints;

/// <summary>How every request that changes a server is answered: with the run that does it, or, asked with <c>plan=true</c>, with what it would do.</summary>
internal static class Changes
{
    private const string StoredNote =
        "Changes what the product stores; nothing on a host, unless the plan says in onHosts what comes of it there. With plan=true nothing is changed: the answer, 200, is what would be stored otherwise, what would be proven first, and which servers it concerns. It is checked, and refused, just as the change would be, and needs the same right.";

    /// <param name="prepared">Checked already, so that a plan is refused for what a start is refused for.</param>
    /// <param name="plan">Show it, and start nothing.</param>
    public static async Task<IResult> Answer(PreparedRun prepared, bool? plan, HttpContext context, CancellationToken cancellationToken)
    {
        var key = IdempotencyKey(context);
        if (plan == true)
        {
            return Results.Ok(await prepared.Plan(cancellationToken));
        }

        var run = await prepared.Start(context.User.Identity!.Name!, key, cancellationToken);
        var ahead = await prepared.Ahead(run, cancellationToken);
        return Results.Accepted($"/api/v2/runs/{run.Id}", new StartedAnswer(run.Id, ahead, await ByHand(prepared.Server, run, ahead.Count == 0, context, cancellationToken)));
    }

    /// <summary>For a run that changes no server.</summary>
    public static IResult Started(StartedRun run) => Results.Accepted($"/api/v2/runs/{run.Id}", new StartedAnswer(run.Id, [], null));

    public static RouteHandlerBuilder ProducesChange(this RouteHandlerBuilder endpoint) =>
        endpoint.Produces<ChangePlan>(200).Produces<StartedAnswer>(202).ProducesProblem(404)
            .WithDescription("With plan=true nothing is started and nothing is kept: the answer, 200, is what the run would do. It is checked, and refused, just as the start would be, and needs the same right.");

    /// <summary>For a change of what the product stores, asked with <c>plan=true</c>.</summary>
    public static async Task<IResult> Plan<T>(PreparedChange<T> change, HttpContext context, CancellationToken cancellationToken) =>
        Results.Ok(await context.RequestServices.GetRequiredService<StoredPlans>().Of(change, cancellationToken));

    /// <summary>For a change after which there is nothing to show.</summary>
    public static async Task<IResult> Done(PreparedChange<Nothing> change, CancellationToken cancellationToken)
    {
        await change.Make(cancellationToken);
        return Results.NoContent();
    }

    /// <param name="status">Of the answer without a plan.</param>
    public static RouteHandlerBuilder ProducesStored(this RouteHandlerBuilder endpoint, int status) => endpoint.Produces<StoredPlan>(200).Produces(status).WithDescription(StoredNote);

    /// <inheritdoc cref="ProducesStored(RouteHandlerBuilder, int)"/>
    /// <typeparam name="T">The answer without a plan.</typeparam>
    public static RouteHandlerBuilder ProducesStored<T>(this RouteHandlerBuilder endpoint, int status = 200) => status != 200
        ? endpoint.Produces<StoredPlan>(200).Produces<T>(status).WithDescription(StoredNote)
        : endpoint.Produces<T>(200).WithDescription(StoredNote).AddOpenApiOperationTransformer(async (operation, context, cancellationToken) =>
            // One status has one schema: either of the two.
            operation.Responses!["200"].Content!["application/json"].Schema = new OpenApiSchema
            {
                OneOf = [await Schema(typeof(T), context, cancellationToken), await Schema(typeof(StoredPlan), context, cancellationToken)],
            });

    private static async Task<IOpenApiSchema> Schema(Type type, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        context.Document!.AddComponent(type.Name, await context.GetOrCreateSchemaAsync(type, null, cancellationToken));
        return new OpenApiSchemaReference(type.Name, context.Document);
    }

    public static string? IdempotencyKey(HttpContext context)
    {
        var key = context.Request.Headers["Idempotency-Key"].ToString();
        return key.Length <= 200 ? (key.Length > 0 ? key : null) : throw new InvalidInputException("Idempotency-Key", "must have at most 200 characters");
    }

    /// <summary>What somebody must do on a host without a login; a token only where the run is the next one there.</summary>
    private static async Task<HostEnrolment?> ByHand(Server server, StartedRun run, bool isNext, HttpContext context, CancellationToken cancellationToken)
    {
        if (server.Installation != InstallationType.Manual)
        {
            return null;
        }

        var enrolments = context.RequestServices.GetRequiredService<HostEnrolments>();
        context.Response.Headers.CacheControl = "no-store";
        return isNext ? await enrolments.ForRun(server, run, context.User.Identity!.Name!, cancellationToken) : await enrolments.Line(server, cancellationToken);
    }

    /// <param name="Ahead">Runs that it waits for, the next one to end first.</param>
    /// <param name="Enrolment">What to run on the host when no run is ahead, where an operator installs by hand; its token is null where the host needs none.</param>
    internal sealed record StartedAnswer(Guid RunId, IReadOnlyList<RunSummary> Ahead, HostEnrolment? Enrolment);
}
