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

        api.MapPost("/tokens", async (TokenRequest request, Tokens tokens, HttpContext context, CancellationToken cancellationToken) =>
        {
            var account = context.User.Account()!;
            if (account.ServerId is not null)
            {
                return Results.Forbid();
            }

            if (string.IsNullOrWhiteSpace(request.Name) || request.Name.Length > 100 || request.Name.Any(char.IsControl))
            {
                throw new InvalidInputException("name", "must be one line of 1 to 100 characters");
            }

            if (request.ExpiresInDays is < 1 or > 3650)
            {
                throw new InvalidInputException("expiresInDays", "must be 1 to 3650");
            }

            return Results.Ok(await tokens.Issue(account.Id, request.Name, request.ExpiresInDays is { } days ? TimeSpan.FromDays(days) : null, cancellationToken));
        }).RequireAuthorization(nameof(Right.Read)).Produces<IssuedToken>().WithTags("Access").WithSummary("A token for oneself; its text is shown once");

        api.MapDelete("/tokens/current", async (Tokens tokens, HttpContext context, CancellationToken cancellationToken) =>
        {
            if (context.User.Account()!.ServerId is not null)
            {
                return Results.Forbid();
            }

            var header = AuthenticationHeaderValue.Parse(context.Request.Headers.Authorization.ToString());
            if (string.Equals(header.Scheme, "Bearer", StringComparison.OrdinalIgnoreCase))
            {
                await tokens.Revoke(header.Parameter!, cancellationToken);
            }

            return Results.NoContent();
        }).RequireAuthorization(nameof(Right.Read)).WithTags("Access").WithSummary("End the token that came with this request");
    }

    private sealed record MeAnswer(string Name, IReadOnlyList<string> Groups);

    private sealed record TokenRequest(string? Name, int? ExpiresInDays);
}
