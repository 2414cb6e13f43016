using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using ManagedServers.Engine;
using ManagedServers.Workflows;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Api.Endpoints;

/// <summary>The family of runs.</summary>
internal static class Runs
{
    public static void MapRuns(this RouteGroupBuilder api)
    {
        var runs = api.MapGroup("/runs").WithTags("Runs");

        runs.MapGet("", async (IRuns runs, Servers servers, string[]? state, string? kind, string? server, Guid? parent, Guid? before, int? limit, CancellationToken cancellationToken) =>
        {
            var size = Limits.Check(limit);
            var subject = server is null ? null : (await servers.Get(server, cancellationToken)).Subject;
            // One more than asked for tells whether there is a next page; the engine's own limit is 200.
            var found = await runs.List(new RunFilter { States = [.. (state ?? []).Select(s => Words.Parse<RunState>("state", s))], Kind = kind, Subject = subject, Parent = parent, Before = before, Limit = Math.Min(size + 1, Page<RunSummary>.Most) }, cancellationToken);
            return Page<RunSummary>.Of(found, Math.Min(size, Page<RunSummary>.Most - 1), r => r.Id.ToString());
        }).RequireAuthorization(nameof(Right.Read)).WithSummary("Runs, newest first");

        runs.MapGet("/{id:guid}", async (Guid id, IRuns runs, CancellationToken cancellationToken) => await Find(runs, id, cancellationToken))
            .RequireAuthorization(nameof(Right.Read)).ProducesProblem(404).WithSummary("A run with its steps and its audit");

        runs.MapGet("/{id:guid}/log", async (Guid id, IRuns runs, long? after, int? limit, CancellationToken cancellationToken) =>
        {
            await Find(runs, id, cancellationToken);
            var size = Limits.Check(limit, 1000, 1000);
            var lines = await runs.Log(id, after ?? 0, size, cancellationToken);
            return new Page<LogLine>(lines, lines.Count == size ? lines[^1].Seq.ToString(CultureInfo.InvariantCulture) : null);
        }).RequireAuthorization(nameof(Right.Read)).WithSummary("Lines of the log after a number");

        runs.MapGet("/{id:guid}/events", async (Guid id, IRuns runs, HttpContext context, CancellationToken cancellationToken) =>
        {
            await Find(runs, id, cancellationToken);
            var after = long.TryParse(context.Request.Headers["Last-Event-ID"], NumberStyles.None, CultureInfo.InvariantCulture, out var seen) ? seen : 0;
            return new EventStream(RunEvents.Of(runs, id, after, cancellationToken));
        }).RequireAuthorization(nameof(Right.Read)).WithSummary("The run as it happens, as server-sent events: run, log, end. Resumes after Last-Event-ID");

        Act(runs, "cancel", (actions, id, body, who, cancellationToken) => actions.Cancel(id, body.Undo ? CancelMode.Undo : CancelMode.Stop, who, body.Reason, cancellationToken));
        Act(runs, "retry", (actions, id, body, who, cancellationToken) => actions.Retry(id, who, body.Reason, body.From, cancellationToken));
        Act(runs, "skip", (actions, id, body, who, cancellationToken) => actions.Skip(id, who, body.Reason, cancellationToken));
        Act(runs, "priority", (actions, id, body, who, cancellationToken) => actions.SetPriority(
            id, body.Priority is { } priority ? Words.Parse<RunPriority>("priority", priority) : throw new InvalidInputException("priority", "is needed: low, normal or high"), who, body.Reason, cancellationToken));
        Act(runs, "steps/{step}/signal", (actions, id, body, who, cancellationToken) => actions.Signal(
            id, body.Step!, body.Payload ?? throw new InvalidInputException("payload", "is needed: what the step waits for, as JSON"), who, body.Reason, cancellationToken));
        Act(runs, "steps/{step}/approve", (actions, id, body, who, cancellationToken) => actions.Decide(id, body.Step!, true, who, body.Reason, cancellationToken));
        Act(runs, "steps/{step}/reject", (actions, id, body, who, cancellationToken) => actions.Decide(id, body.Step!, false, who, body.Reason, cancellationToken));

        runs.MapPost("/actions", async (SelectionRequest body, IRuns runs, Servers servers, HttpContext context, CancellationToken cancellationToken) =>
        {
            Reasons.Check(body.Reason);
            var filter = new RunFilter
            {
                States = [.. (body.State ?? []).Select(s => Words.Parse<RunState>("state", s))], Kind = body.Kind, Parent = body.Parent,
                Subject = body.Server is null ? null : (await servers.Get(body.Server, cancellationToken)).Subject,
            };
            if (filter.States.Count == 0 && filter.Kind is null && filter.Subject is null && filter.Parent is null)
            {
                throw new InvalidInputException("state", "or kind, server or parent is needed: an action on all runs there are is surely not meant");
            }

            return await runs.Act(filter, Words.Parse<BulkVerb>("action", body.Action), context.User.Identity!.Name!, body.Reason, cancellationToken);
        }).RequireAuthorization(nameof(Right.Operate)).Produces<BulkResult>().ProducesProblem(400).WithSummary("One action on every run that a filter finds, at most 1,000 at once");
    }

    private static void Act(RouteGroupBuilder runs, string action, Func<IRunActions, Guid, ActionRequest, string, CancellationToken, Task> act) =>
        runs.MapPost("/{id:guid}/" + action, async (Guid id, ActionRequest? body, bool? plan, IRuns runs, RunChanges changes, HttpContext context, CancellationToken cancellationToken) =>
        {
            await Find(runs, id, cancellationToken);
            Reasons.Check(body?.Reason);
            if (body?.Input is not null && !context.User.Allows(Right.RunCommands))
            {
                return Results.Forbid(); // an input may hold commands
            }

            var asked = (body ?? new ActionRequest()) with { Step = context.GetRouteValue("step") as string };
            if (plan == true)
            {
                return await Changes.Plan(await changes.Prepare(id, actions => act(actions, id, asked, context.User.Identity!.Name!, cancellationToken), cancellationToken), context, cancellationToken);
            }

            await act(runs, id, asked, context.User.Identity!.Name!, cancellationToken);
            return Results.Accepted($"/api/v2/runs/{id}", await Find(runs, id, cancellationToken));
        }).RequireAuthorization(nameof(Right.Operate)).ProducesStored<RunDetails>(202).ProducesProblem(409).WithSummary(Summary(action.Split('/')[^1]));

    private static string Summary(string action) => action switch
    {
        "priority" => "Let a run go before or after others",
        "signal" => "Send a step what it waits for",
        "approve" or "reject" => $"{char.ToUpperInvariant(action[0])}{action[1..]} what a step asks",
        _ => $"{char.ToUpperInvariant(action[0])}{action[1..]} a run",
    };

    private static async Task<RunDetails> Find(IRuns runs, Guid id, CancellationToken cancellationToken) =>
        await runs.Get(id, cancellationToken) ?? throw new RunNotFoundException(id);

    private sealed record ActionRequest
    {
        public bool Undo { get; init; }
        public string? Reason { get; init; }
        public int? FromStep { get; init; }
        public JsonElement? Input { get; init; }
        public string? Priority { get; init; }
        public JsonElement? Payload { get; init; }

        [JsonIgnore]
        public string? Step { get; init; }

        [JsonIgnore]
        public RetryFrom? From => FromStep is null && Input is null ? null : new RetryFrom { Step = FromStep, Input = Input };
    }

    private sealed record SelectionRequest
    {
        public required string Action { get; init; }
        public string[]? State { get; init; }
        public string? Kind { get; init; }
        public string? Server { get; init; }
        public Guid? Parent { get; init; }
        public string? Reason { get; init; }
    }
}

/// <summary>No run has this id.</summary>
internal sealed class RunNotFoundException(Guid id) : Exception($"There is no run {id}. 'msctl runs list' shows them.");
