using ManagedServers.Engine;
using ManagedServers.Workflows;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Provisioning;

namespace ManagedServers.Api.Endpoints;

/// <summary>The family of schedules: what starts runs at their times.</summary>
internal static class Schedules
{
    public static void MapSchedules(this RouteGroupBuilder api)
    {
        var schedules = api.MapGroup("/schedules").WithTags("Schedules");

        schedules.MapGet("", (ISchedules schedules, CancellationToken cancellationToken) => schedules.List(cancellationToken))
            .RequireAuthorization(nameof(Right.Read)).WithSummary("All schedules, with their next five times and last twenty results");

        schedules.MapGet("/{name}", async (string name, ISchedules schedules, CancellationToken cancellationToken) =>
            await schedules.Get(name, cancellationToken) ?? throw new ScheduleNotFoundException(name))
            .RequireAuthorization(nameof(Right.Read)).ProducesProblem(404).WithSummary("A schedule with its audit");

        schedules.MapPut("/{name}", async (string name, ScheduleRequest body, bool? plan, ISchedules schedules, HttpContext context, CancellationToken cancellationToken) =>
        {
            Reasons.Check(body.Reason);
            if (body.Settings is null)
            {
                throw new InvalidInputException("settings", "are needed");
            }

            if (body.Settings.Name != name)
            {
                throw new InvalidInputException("settings.name", $"must be '{name}', as in the address");
            }

            Task<ScheduleDetails> Save(ISchedules all) => all.Save(body.Settings, context.User.Identity!.Name!, body.Reason, cancellationToken);
            return plan == true ? await Plan(schedules, name, Save, context, cancellationToken) : Results.Ok(await Save(schedules));
        }).RequireAuthorization(nameof(Right.Operate)).RequireAuthorization(nameof(Right.RunCommands)) // its input may hold commands
            .ProducesStored<ScheduleDetails>().ProducesProblem(400).WithSummary("Create a schedule, or change it");

        Act(schedules, "pause", "Let a schedule start nothing, until it is resumed or until a time", async (all, name, body, who, ct) =>
        {
            await all.Pause(name, who, string.IsNullOrWhiteSpace(body.Reason) ? throw new InvalidInputException("reason", "is needed: it stands beside the schedule while it is paused") : body.Reason, body.Until, ct);
            return Results.NoContent();
        });
        Act(schedules, "resume", "End a schedule's pause", async (all, name, body, who, ct) =>
        {
            await all.Resume(name, who, body.Reason, ct);
            return Results.NoContent();
        });
        Act(schedules, "remove", "Remove a schedule; its runs stay", async (all, name, body, who, ct) =>
        {
            await all.Remove(name, who, body.Reason, ct);
            return Results.NoContent();
        });
        Act(schedules, "run", "Start a schedule's run now", async (all, name, body, who, ct) =>
        {
            var started = await all.RunNow(name, who, body.Reason, null, ct);
            return Results.Accepted($"/api/v2/runs/{started.Id}", started);
        });
    }

    private static void Act(RouteGroupBuilder schedules, string action, string summary, Func<ISchedules, string, ScheduleAction, string, CancellationToken, Task<IResult>> act) =>
        schedules.MapPost("/{name}/" + action, async (string name, ScheduleAction? body, bool? plan, ISchedules schedules, HttpContext context, CancellationToken cancellationToken) =>
        {
            Reasons.Check(body?.Reason);
            _ = await schedules.Get(name, cancellationToken) ?? throw new ScheduleNotFoundException(name);
            Task<IResult> Do(ISchedules all) => act(all, name, body ?? new ScheduleAction(), context.User.Identity!.Name!, cancellationToken);
            return plan == true ? await Plan(schedules, name, Do, context, cancellationToken) : await Do(schedules);
        }).RequireAuthorization(nameof(Right.Operate)).Produces<StoredPlan>(200).ProducesProblem(404).ProducesProblem(409).WithSummary(summary);

    private static async Task<IResult> Plan(ISchedules schedules, string name, Func<ISchedules, Task> act, HttpContext context, CancellationToken cancellationToken)
    {
        var now = await schedules.Get(name, cancellationToken) is { } stored ? stored.Pause is null ? "active" : "paused" : null;
        var rehearsed = await schedules.Rehearse(act);
        return await Changes.Plan(new PreparedChange<Nothing>(
            $"schedule '{name}' is {rehearsed?.What ?? "left as it is"}",
            rehearsed is null ? [] : [new($"schedule '{name}'", now, rehearsed.What == "removed" ? null : $"{rehearsed.What}{(rehearsed.Detail is { } detail ? $": {detail}" : "")}")],
            async _ =>
            {
                await act(schedules);
                return Nothing.Value;
            })
        {
            OnHosts = rehearsed?.What == "started" ? "A run begins, and does there what its kind does." : null,
        }, context, cancellationToken);
    }

    private sealed record ScheduleRequest
    {
        public required ScheduleSettings Settings { get; init; }
        public string? Reason { get; init; }
    }

    private sealed record ScheduleAction
    {
        public string? Reason { get; init; }
        public DateTimeOffset? Until { get; init; }
    }
}

/// <summary>No schedule has this name.</summary>
internal sealed class ScheduleNotFoundException(string name) : Exception($"There is no schedule '{name}'.");

/// <summary>Why somebody does something, for the audit.</summary>
internal static class Reasons
{
    private const int Longest = 500;

    public static void Check(string? reason)
    {
        if (reason?.Length > Longest)
        {
            throw new InvalidInputException("reason", $"must have at most {Longest} characters");
        }
    }
}
