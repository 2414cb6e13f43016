using ManagedServers.Engine;
using ManagedServers.Workflows;
using ManagedServers.Workflows.Access;

namespace ManagedServers.Api.Endpoints;

/// <summary>The family of the engine: kinds of runs, nodes, figures.</summary>
internal static class Engine
{
    private static readonly TimeSpan LongestPeriod = TimeSpan.FromDays(31);

    public static void MapEngine(this RouteGroupBuilder api)
    {
        var engine = api.MapGroup("/engine").WithTags("Engine");

        engine.MapGet("/kinds", (IEngineControl control, CancellationToken cancellationToken) => control.Kinds(cancellationToken))
            .RequireAuthorization(nameof(Right.Read)).WithSummary("Kinds of runs: paused or not, their limit, how many are not over");
        Act(engine, "/kinds/{name}/pause", "Hold back the runs of a kind", (control, name, body, who, ct) => control.PauseKind(name, who, body.Reason, ct));
        Act(engine, "/kinds/{name}/resume", "Let the runs of a kind go on", (control, name, body, who, ct) => control.ResumeKind(name, who, body.Reason, ct));
        Act(engine, "/kinds/{name}/limit", "How many runs of a kind may be under way at once; without atOnce no limit", (control, name, body, who, ct) =>
            body.AtOnce is < 1 ? throw new InvalidInputException("atOnce", "must be 1 or more; to hold all runs back, pause the kind") : control.LimitKind(name, body.AtOnce, who, body.Reason, ct));

        engine.MapGet("/nodes", (IEngineControl control, CancellationToken cancellationToken) => control.Nodes(cancellationToken))
            .RequireAuthorization(nameof(Right.Read)).WithSummary("Processes that execute runs");
        Act(engine, "/nodes/{name}/drain", "Let a node end what it has and take nothing more", (control, name, body, who, ct) => control.Drain(name, who, body.Reason, ct));
        Act(engine, "/nodes/{name}/undrain", "Let a node take runs again", (control, name, body, who, ct) => control.Undrain(name, who, body.Reason, ct));

        engine.MapGet("/statistics", (IEngineControl control, TimeProvider time, DateTimeOffset? from, DateTimeOffset? to, CancellationToken cancellationToken) =>
        {
            var end = to ?? time.GetUtcNow();
            var begin = from ?? end - TimeSpan.FromHours(1);
            return begin < end && end - begin <= LongestPeriod
                ? control.Statistics(begin, end, cancellationToken)
                : throw new InvalidInputException("from", $"must be before 'to', at most {LongestPeriod.TotalDays} days");
        }).RequireAuthorization(nameof(Right.Read)).WithSummary("Ended runs per minute and kind; the last hour if not said otherwise");

        engine.MapGet("/audit", (IEngineControl control, int? limit, CancellationToken cancellationToken) => control.Audit(Limits.Check(limit, 100, 1000), cancellationToken))
            .RequireAuthorization(nameof(Right.Read)).WithSummary("What operators did to kinds and nodes, newest first");
    }

    private static void Act(RouteGroupBuilder engine, string path, string summary, Func<IEngineControl, string, EngineRequest, string, CancellationToken, Task> act) =>
        engine.MapPost(path, async (string name, EngineRequest? body, IEngineControl control, HttpContext context, CancellationToken cancellationToken) =>
        {
            Reasons.Check(body?.Reason);
            await act(control, name, body ?? new EngineRequest(), context.User.Identity!.Name!, cancellationToken);
            return Results.NoContent();
        }).RequireAuthorization(nameof(Right.Operate)).Produces(204).ProducesProblem(409).WithSummary(summary);

    private sealed record EngineRequest
    {
        public string? Reason { get; init; }
        public int? AtOnce { get; init; }
    }
}
