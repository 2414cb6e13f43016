using ManagedServers.Api.Hosting;
using ManagedServers.Workflows;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Credentials;
using ManagedServers.Workflows.HostKeys;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Provisioning.Steps;
using ManagedServers.Workflows.Servers;
using Microsoft.AspNetCore.Mvc;

namespace ManagedServers.Api.Endpoints;

/// <summary>The family of managed servers.</summary>
internal static class PVServers
{
    public static void MapPVServers(this RouteGroupBuilder api)
    {
        var servers = api.MapGroup("/pvservers").WithTags("PVServers");

        servers.MapGet("", async (ServerOverview overview, string? filter, string? after, int? limit, CancellationToken cancellationToken) =>
        {
            var size = Limits.Check(limit);
            return Page<ServerView>.Of(await overview.List(filter, after, size + 1, cancellationToken), size, s => s.Name);
        }).RequireAuthorization(nameof(Right.Read)).WithSummary("Servers in the order of their names");

        servers.MapPost("", async (AddServer request, bool? plan, Servers servers, ServerOverview overview, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await servers.Add(request, context.User.Identity!.Name!, cancellationToken);
            if (plan == true)
            {
                return await Changes.Plan(change, context, cancellationToken);
            }

            var added = await change.Make(cancellationToken);
            return Results.Created($"/api/v2/pvservers/{added.Id}", await overview.Get(added.Id.ToString(), cancellationToken));
        }).RequireAuthorization(nameof(Right.Operate)).ProducesStored<ServerView>(201).ProducesProblem(400).ProducesProblem(409).WithSummary("Register a host");

        servers.MapPost("/probe", async (ProbeRequest request, Servers servers, CancellationToken cancellationToken) =>
            await servers.ReadHostKey(request.Address, request.SshPort, request.SshRoute, cancellationToken)).RequireAuthorization(nameof(Right.Operate)).WithSummary("Read a host's key, before any credential is sent");

        servers.MapGet("/{server}", (string server, ServerOverview overview, CancellationToken cancellationToken) => overview.Get(server, cancellationToken))
            .RequireAuthorization(nameof(Right.Read)).ProducesProblem(404).WithSummary("One server, by id or name");

        servers.MapPatch("/{server}", async (string server, EditServer request, bool? plan, Servers servers, ServerOverview overview, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await servers.Edit(server, request, context.User.Identity!.Name!, cancellationToken);
            return plan == true ? await Changes.Plan(change, context, cancellationToken)
                : Results.Ok(await overview.Get((await change.Make(cancellationToken)).Id.ToString(), cancellationToken));
        }).RequireAuthorization(nameof(Right.Operate)).ProducesStored<ServerView>().ProducesProblem(400).ProducesProblem(404).WithSummary("Change a server's name, or the way to its host, which is proven first");

        servers.MapGet("/{server}/history", (string server, Servers servers, CancellationToken cancellationToken) => servers.History(server, cancellationToken))
            .RequireAuthorization(nameof(Right.Read)).ProducesProblem(404).WithSummary("What was changed about a server, by whom and why, newest first");

        servers.MapDelete("/{server}", async (string server, bool? force, bool? plan, ServerRemoval removal, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await removal.Remove(server, force == true, cancellationToken);
            return plan == true ? await Changes.Plan(change, context, cancellationToken) : await Changes.Done(change, cancellationToken);
        }).RequireAuthorization(nameof(Right.Operate)).ProducesStored(204).ProducesProblem(409).WithSummary("Forget a server; its host is not touched");

        servers.MapPost("/{server}/test", async (string server, ComponentsRequest? request, HostTest test, CancellationToken cancellationToken) =>
        {
            var checks = await test.Run(server, request ?? new(), cancellationToken);
            return new TestAnswer(checks.All(c => c.Ok || c.RootStep), checks);
        }).RequireAuthorization(nameof(Right.Operate)).WithSummary("Connect and look at everything that an install needs; changes nothing");

        servers.MapPost("/{server}/install", async (string server, InstallRequest request, bool? plan, Installation installation, HttpContext context, CancellationToken cancellationToken) =>
                await Changes.Answer(await installation.Prepare(server, request, cancellationToken), plan, context, cancellationToken))
            .RequireAuthorization(nameof(Right.Operate)).WithMetadata(new RequestSizeLimitAttribute(Requests.LargestInstall))
            .ProducesChange().ProducesProblem(400).WithSummary("Install components; answers with the run that does it");

        Control(servers, "start", "Start components, all if none is named, and prove that DNS answers", l => l.Start);
        Control(servers, "stop", "Stop components, all if none is named; they stay stopped over reboots", l => l.Stop);
        Control(servers, "restart", "Restart components, all if none is named, and prove that DNS answers", l => l.Restart);

        servers.MapPost("/{server}/uninstall", async (string server, CommandsRequest? request, bool? plan, Lifecycle lifecycle, HttpContext context, CancellationToken cancellationToken) =>
                await Changes.Answer(await lifecycle.Uninstall(server, request ?? new(), cancellationToken), plan, context, cancellationToken))
            .RequireAuthorization(nameof(Right.Operate)).ProducesChange().ProducesProblem(409).WithSummary("Take from the host everything that installs have put there; the server stays registered");

        servers.MapPost("/{server}/run-commands", async (string server, RunCommandsRequest request, bool? plan, Lifecycle lifecycle, HttpContext context, CancellationToken cancellationToken) =>
                await Changes.Answer(await lifecycle.RunCommands(server, request, cancellationToken), plan, context, cancellationToken))
            .RequireAuthorization(nameof(Right.RunCommands)).ProducesChange().ProducesProblem(400).WithSummary("Run commands of the catalogue on the host, one after the other");

        servers.MapPost("/{server}/rotate-credential", async (string server, RotateRequest? request, bool? plan, CredentialRotation rotation, HttpContext context, CancellationToken cancellationToken) =>
                await Changes.Answer(await rotation.Prepare(server, request ?? new(), context.User.Identity!.Name!, cancellationToken), plan, context, cancellationToken))
            .RequireAuthorization(nameof(Right.Operate)).ProducesChange().ProducesProblem(400)
            .WithSummary("Put a new credential, or a new key of the product's own, in the place of the stored one, proven on the host");

        servers.MapPost("/{server}/host-key", async (string server, HostKeyRequest? request, bool? plan, HostKeyApproval approval, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await approval.Ask(server, request?.Reason, context.User.Identity!.Name!, Changes.IdempotencyKey(context), cancellationToken);
            if (plan == true)
            {
                return await Changes.Plan(change, context, cancellationToken);
            }

            var asked = await change.Make(cancellationToken);
            return Results.Accepted($"/api/v2/runs/{asked.RunId}", asked);
        }).RequireAuthorization(nameof(Right.Operate)).ProducesStored<AskedHostKey>(202).ProducesProblem(400).ProducesProblem(404).ProducesProblem(409)
            .WithSummary("Ask, in a run that waits for an approval, whether the key that the host shows now is to be accepted");

        servers.MapGet("/{server}/heartbeats", async (string server, int? limit, string? before, Servers servers, Heartbeats heartbeats, CancellationToken cancellationToken) =>
        {
            var found = await servers.Get(server, cancellationToken);
            var page = await heartbeats.Recent(found.Id, Limits.Check(limit, 50, 1000), before, cancellationToken);
            return new HeartbeatsAnswer((await heartbeats.Summary([found.Id], cancellationToken))[0], page.Items, page.Next);
        }).RequireAuthorization(nameof(Right.Read)).WithTags("Monitoring").WithSummary("The bar of the last two minutes, and the beats, newest first");
    }

    private static void Control(
        RouteGroupBuilder servers, string verb, string summary, Func<Lifecycle, Func<string, ControlRequest, CancellationToken, Task<PreparedRun>>> of) =>
        servers.MapPost("/{server}/" + verb, async (string server, ControlRequest? request, bool? plan, Lifecycle lifecycle, HttpContext context, CancellationToken cancellationToken) =>
                await Changes.Answer(await of(lifecycle)(server, request ?? new(), cancellationToken), plan, context, cancellationToken))
            .RequireAuthorization(nameof(Right.Operate)).ProducesChange().ProducesProblem(400).ProducesProblem(409).WithSummary(summary);

    private sealed record ProbeRequest(string? Address, int SshPort = 22, string? SshRoute = null);

    private sealed record HostKeyRequest(string? Reason = null);

    private sealed record TestAnswer(bool Ok, IReadOnlyList<Check> Checks);

    private sealed record HeartbeatsAnswer(HeartbeatSummary Summary, IReadOnlyList<StoredHeartbeat> Items, string? Next);
}
