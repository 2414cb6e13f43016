using System.Net.Http.Headers;
using ManagedServers.Workflows;
using ManagedServers.Workflows.Access;

namespace ManagedServers.Api.Endpoints;

/// <summary>The family of access: who am I, and tokens.</summary>
internal static class Me
{
    private const int LongestDays = 3650;

    public static void MapMe(this RouteGroupBuilder api)
    {
        api.MapGet("/me", (HttpContext context) => new MeAnswer(context.User.Identity!.Name!, context.User.Account()!.Groups))
            .RequireAuthorization(nameof(Right.Read)).WithTags("Access").WithSummary("Who the credentials belong to");

        // A server's own token is given and taken with the server: by itself it could end what no install would mend.
        var own = api.MapGroup("/tokens").WithTags("Access").AddEndpointFilter(async (call, next) => call.HttpContext.User.Account()!.ServerId is null ? await next(call) : Results.Forbid());

        own.MapGet("", async (bool? all, Tokens tokens, HttpContext context, CancellationToken cancellationToken) =>
                all == true && !context.User.Allows(Right.Administer) ? Results.Forbid()
                : Results.Ok(new Page<TokenView>(await tokens.List(all == true ? null : context.User.Account()!.Id, Bearer(context), cancellationToken), null)))
            .RequireAuthorization(nameof(Right.Read)).Produces<Page<TokenView>>().ProducesProblem(403).WithSummary("One's own tokens, the newest first; with all=true everybody's, for administrators");

        own.MapPost("", async (TokenRequest request, Tokens tokens, HttpContext context, CancellationToken cancellationToken) =>
        {
            if (string.IsNullOrWhiteSpace(request.Name) || request.Name.Length > 100 || request.Name.Any(char.IsControl))
            {
                throw new InvalidInputException("name", "must be one line of 1 to 100 characters");
            }

            return Results.Ok(await tokens.Issue(context.User.Account()!.Id, request.Name, request.Lifetime(), cancellationToken));
        }).RequireAuthorization(nameof(Right.Read)).Produces<IssuedToken>().ProducesProblem(400)
            .WithSummary("A token for oneself; its text is shown once")
            .WithDescription($"It lasts {Tokens.Default.TotalDays:0} days, or expiresInDays of 1 to {LongestDays}, or, only with neverExpires, until it is revoked.");

        own.MapDelete("/current", async (Tokens tokens, HttpContext context, CancellationToken cancellationToken) =>
        {
            if (Bearer(context) is { } token)
            {
                await tokens.Revoke(token, cancellationToken);
            }

            return Results.NoContent();
        }).RequireAuthorization(nameof(Right.Read)).WithSummary("End the token that came with this request");

        own.MapDelete("/{id:guid}", async (Guid id, bool? plan, Tokens tokens, HttpContext context, CancellationToken cancellationToken) =>
        {
            var change = await tokens.Revoke(id, context.User.Allows(Right.Administer) ? null : context.User.Account()!.Id, Bearer(context), cancellationToken);
            return plan == true ? await Changes.Plan(change, context, cancellationToken) : await Changes.Done(change, cancellationToken);
        }).RequireAuthorization(nameof(Right.Read)).ProducesStored(204).ProducesProblem(404).WithSummary("Revoke a token of one's own; administrators revoke anybody's");
    }

    private static string? Bearer(HttpContext context) =>
        AuthenticationHeaderValue.TryParse(context.Request.Headers.Authorization, out var header) && string.Equals(header.Scheme, "Bearer", StringComparison.OrdinalIgnoreCase) ? header.Parameter : null;

    private sealed record MeAnswer(string Name, IReadOnlyList<string> Groups);

    private sealed record TokenRequest(string? Name, int? ExpiresInDays = null, bool NeverExpires = false)
    {
        /// <summary>Null for ever.</summary>
        public TimeSpan? Lifetime() => (ExpiresInDays, NeverExpires) switch
        {
            (not null, true) => throw new InvalidInputException("neverExpires", "cannot be combined with expiresInDays"),
            (< 1 or > LongestDays, _) => throw new InvalidInputException("expiresInDays", $"must be 1 to {LongestDays}"),
            (null, true) => null,
            (var days, _) => days is { } given ? TimeSpan.FromDays(given) : Tokens.Default,
        };
    }
}
