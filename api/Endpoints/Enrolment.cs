using System.Net.Http.Headers;
using ManagedServers.Api.Authentication;
using ManagedServers.Workflows;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Enrolment;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;
using Microsoft.AspNetCore.Mvc;

namespace ManagedServers.Api.Endpoints;

/// <summary>What a host says while somebody runs the line on it. The server is always the one whose token came with the request.</summary>
internal static class Enrolment
{
    private const string Family = "Enrolment";

    // One step's words, or a few hundred of them.
    private const int LargestReport = 4 * 1024 * 1024;

    // Not a name that anybody could sign in with.
    private const string Guessed = "\0enrolment";

    public static void MapEnrolment(this RouteGroupBuilder api)
    {
        var enrolment = api.MapGroup("/enrolment").WithTags(Family);

        enrolment.MapPost("/exchange", Exchange).AllowAnonymous().Produces<Exchanged>().ProducesProblem(401).ProducesProblem(409).ProducesProblem(429)
            .WithSummary("A host's first word: its enrolment token, as bearer, for the server's own; once");

        enrolment.MapPost("/check-in", (HostCheckIn host, HostOrders orders, HttpContext context, CancellationToken cancellationToken) =>
                orders.CheckIn(Own(context), host, context.Connection.RemoteIpAddress, cancellationToken))
            .RequireAuthorization(nameof(Right.Report)).ProducesProblem(409).WithSummary("The host is there: the run that waits for it goes on");

        enrolment.MapGet("/order", async (Guid runId, HostOrders orders, HttpContext context, CancellationToken cancellationToken) =>
                await orders.Order(Own(context), runId, cancellationToken) is { } order ? Results.Ok(order.Document)
                    : Results.Problem(title: "Not yet", detail: "The order has not been made yet.", statusCode: StatusCodes.Status404NotFound, type: "no-order"))
            .RequireAuthorization(nameof(Right.Report)).ProducesProblem(404).WithSummary("What the host shall do for a run");

        enrolment.MapPost("/reports", async (HostReports reports, HostOrders orders, HttpContext context, CancellationToken cancellationToken) =>
                new ReportsAnswer(await orders.Take(Own(context), reports, cancellationToken)))
            .RequireAuthorization(nameof(Right.Report)).WithMetadata(new RequestSizeLimitAttribute(LargestReport)).ProducesProblem(409).WithSummary("How the host gets on");

        enrolment.MapGet("/heartbeat", async (Heartbeats heartbeats, HttpContext context, CancellationToken cancellationToken) =>
                new HeartbeatAnswer((await heartbeats.Summary([Own(context)], cancellationToken))[0].LastAt))
            .RequireAuthorization(nameof(Right.Report)).WithSummary("When the host's latest heartbeat has come");

        enrolment.MapGet("/images/{component}", (string component, ImageCatalogue images) =>
            {
                var image = Component.All.Contains(component) ? images.Find(component) : null;
                return image is null ? throw new InvalidInputException("component", "has no image on this product") : Results.File(images.Open(image), "application/octet-stream", enableRangeProcessing: true);
            })
            .RequireAuthorization(nameof(Right.Report)).ProducesProblem(400).WithSummary("A component's image, also a part of it");

        var servers = api.MapGroup("/pvservers/{server}/enrolment").WithTags("PVServers");

        servers.MapGet("", async (string server, Servers all, HostEnrolments enrolments, CancellationToken cancellationToken) =>
                await enrolments.Line(await Manual(all, server, cancellationToken), cancellationToken))
            .RequireAuthorization(nameof(Right.Read)).ProducesProblem(404).ProducesProblem(409).WithSummary("The line to run on the host of a server that is installed by hand");

        servers.MapPost("", async (string server, RenewRequest? request, bool? plan, Servers all, HostEnrolments enrolments, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = enrolments.Renew(await Manual(all, server, cancellationToken), Lifetime(request), context.User.Identity!.Name!);
            context.Response.Headers.CacheControl = "no-store";
            return plan == true ? await Changes.Plan(change, context, cancellationToken) : Results.Ok(await change.Make(cancellationToken));
        }).RequireAuthorization(nameof(Right.Operate)).ProducesStored<HostEnrolment>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409)
            .WithSummary("A new enrolment token, shown once; an unused one before it ends");
    }

    private static async Task<IResult> Exchange(Exchange host, EnrolmentTokens tokens, FailedSignIns failures, TimeProvider time, HttpContext context, ILogger<EnrolmentTokens> log, CancellationToken cancellationToken)
    {
        var from = context.Connection.RemoteIpAddress;
        var token = AuthenticationHeaderValue.TryParse(context.Request.Headers.Authorization, out var header) && string.Equals(header.Scheme, "Bearer", StringComparison.OrdinalIgnoreCase) ? header.Parameter : null;
        IResult? answer = null;
        EnrolmentRefusedException? refusal = null;
        var mustWaitUntil = await failures.Try(from, Guessed, async () =>
        {
            try
            {
                answer = Results.Ok(await tokens.Exchange(token ?? "", host, from?.ToString() ?? "?", cancellationToken));
                return true;
            }
            catch (EnrolmentRefusedException refused)
            {
                log.LogWarning("Enrolment refused to {From}: {Why}", from, refused.Message);
                refusal = refused;
                return !refused.IsUnknown;
            }
        }, cancellationToken);
        if (mustWaitUntil is not { } until)
        {
            return answer ?? throw refusal!;
        }

        context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling((until - time.GetUtcNow()).TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Results.Problem(title: "Too many wrong tokens", detail: $"Enrolment tokens are not looked at from {from} for now, right or wrong. Try again at {until:HH:mm:ss} UTC.", statusCode: StatusCodes.Status429TooManyRequests, type: "too-many-tokens");
    }

    private static async Task<Server> Manual(Servers servers, string idOrName, CancellationToken cancellationToken)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        return server.Installation == InstallationType.Manual ? server
            : throw new ServerConflictException("not-manual", $"{server.Name} is installed by the product itself, over SSH; nothing has to be run on its host.");
    }

    private static TimeSpan Lifetime(RenewRequest? request)
    {
        var lifetime = request?.ValidMinutes is { } minutes ? TimeSpan.FromMinutes(minutes) : EnrolmentTokens.Default;
        return lifetime >= EnrolmentTokens.Shortest && lifetime <= EnrolmentTokens.Longest ? lifetime
            : throw new InvalidInputException("validMinutes", $"must be {EnrolmentTokens.Shortest.TotalMinutes:0} to {EnrolmentTokens.Longest.TotalMinutes:0}");
    }

    private static Guid Own(HttpContext context) => context.User.Account()!.ServerId!.Value;

    private sealed record RenewRequest(int? ValidMinutes);

    private sealed record ReportsAnswer(ManagedServers.Engine.RunState State);

    private sealed record HeartbeatAnswer(DateTimeOffset? LastAt);
}
