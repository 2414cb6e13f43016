using System.Globalization;
using ManagedServers.Api.Hosting;
using ManagedServers.Workflows;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Provisioning;
using Microsoft.AspNetCore.Mvc;

namespace ManagedServers.Api.Endpoints;

/// <summary>What servers are asked to serve, in versions.</summary>
internal static class Configuration
{
    public static void MapConfiguration(this RouteGroupBuilder api)
    {
        var configuration = api.MapGroup("/pvservers/{server}/configuration").WithTags("Configuration");

        configuration.MapGet("", async (string server, ConfigurationHistory history, CancellationToken cancellationToken) =>
                new CurrentAnswer(await history.Current(server, cancellationToken)))
            .RequireAuthorization(nameof(Right.Read)).ProducesProblem(404).WithSummary("What each component of a server serves");

        configuration.MapPost("/apply", async (string server, ApplyRequest request, bool? plan, ConfigurationChanges changes, HttpContext context, CancellationToken cancellationToken) =>
                await Changes.Answer(await changes.Apply(server, request, context.User.Identity!.Name!, plan == true ? null : Changes.IdempotencyKey(context), cancellationToken), plan, context, cancellationToken))
            .RequireAuthorization(nameof(Right.Operate)).WithMetadata(new RequestSizeLimitAttribute(Requests.LargestInstall))
            .ProducesChange().ProducesProblem(400).ProducesProblem(409).WithSummary("Change what is served: all zones, single ones, addresses, the DHCP document; answers with the run that does it");

        configuration.MapGet("/{component}/versions", async (string server, string component, int? limit, string? before, ConfigurationHistory history, CancellationToken cancellationToken) =>
        {
            var size = Limits.Check(limit);
            return Page<ConfigurationVersion>.Of(await history.Versions(server, component, Before(before), size + 1, cancellationToken), size, v => v.Version.ToString(CultureInfo.InvariantCulture));
        }).RequireAuthorization(nameof(Right.Read)).ProducesProblem(404).WithSummary("All versions of what a component was asked to serve, newest first");

        configuration.MapGet("/{component}/versions/{version:int}", (string server, string component, int version, ConfigurationHistory history, CancellationToken cancellationToken) =>
                history.Version(server, component, version, cancellationToken))
            .RequireAuthorization(nameof(Right.Read)).ProducesProblem(404).WithSummary("One version, whole");

        configuration.MapGet("/{component}/versions/{version:int}/diff", (string server, string component, int version, int to, ConfigurationHistory history, CancellationToken cancellationToken) =>
                history.Diff(server, component, version, to, cancellationToken))
            .RequireAuthorization(nameof(Right.Read)).ProducesProblem(404).WithSummary("What is different in another version: a unified diff for each zone or document");

        configuration.MapPost("/{component}/versions/{version:int}/restore", async (
                string server, string component, int version, RestoreRequest? request, bool? plan, ConfigurationChanges changes, HttpContext context, CancellationToken cancellationToken) =>
                await Changes.Answer(
                    await changes.Restore(server, component, version, request ?? new(), context.User.Identity!.Name!, plan == true ? null : Changes.IdempotencyKey(context), cancellationToken), plan, context, cancellationToken))
            .RequireAuthorization(nameof(Right.Operate)).ProducesChange().ProducesProblem(400).ProducesProblem(409)
            .WithSummary("Make a new version that equals an older one, and apply it");
    }

    private static int? Before(string? cursor) => cursor is null ? null
        : int.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : throw new InvalidInputException("before", "must be the 'next' of a page");

    private sealed record CurrentAnswer(IReadOnlyList<ConfigurationView> Items);
}
