using System.Net.Http.Headers;
using ManagedServers.Workflows;
using ManagedServers.Workflows.Access;

namespace ManagedServers.Api.Endpoints;

/// <summary>The family of access: who am I, and tokens.</summary>
internal static class Me
{
    public static void MapMe(this RouteGroupBuilder api)
    {
        api.MapGet("/me", (HttpContext context) => new MeAnswer(context.User.Identity!.Name!, context.User.Account()!.Groups))
            .RequireAuthorization(nameof(Right.Read)).WithTags("Access").WithSummary("Who the credentials belong to");

        // A server's own token is given and taken with the server: by itself it could end what no install would mend.
        var own = api.MapGroup("/tokens").WithTags("Access").AddEndpointFilter(async (call, next) => call.HttpContext.User.Account()!.ServerId is null ? await next(call) : Results.Forbid());
        own.MapPost("", async (TokenRequest request, Tokens tokens, HttpContext context, CancellationToken cancellationToken) =>
        {
            if (string.IsNullOrWhiteSpace(request.Name) || request.Name.Length > 100 || request.Name.Any(char.IsControl))
            {
                throw new InvalidInputException("name", "must be one line of 1 to 100 characters");
            }

            if (request.ExpiresInDays is < 1 or > 3650)
            {
                throw new InvalidInputException("expiresInDays", "must be 1 to 3650");
            }

            return Results.Ok(await tokens.Issue(context.User.Account()!.Id, request.Name, request.ExpiresInDays is { } days ? TimeSpan.FromDays(days) : null, cancellationToken));
        }).RequireAuthorization(nameof(Right.Read)).Produces<IssuedToken>().WithSummary("A token for oneself; its text is shown once");

        own.MapDelete("/current", async (Tokens tokens, HttpContext context, CancellationToken cancellationToken) =>
        {
            var header = AuthenticationHeaderValue.Parse(context.Request.Headers.Authorization.ToString());
            if (string.Equals(header.Scheme, "Bearer", StringComparison.OrdinalIgnoreCase))
            {
                await tokens.Revoke(header.Parameter!, cancellationToken);
            }

            return Results.NoContent();
        }).RequireAuthorization(nameof(Right.Read)).WithSummary("End the token that came with this request");
    }

    private sealed record MeAnswer(string Name, IReadOnlyList<string> Groups);

    private sealed record TokenRequest(string? Name, int? ExpiresInDays);
}
