using ManagedServers.Workflows.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace ManagedServers.Dashboard.SignIn;

internal static class SignOut
{
    public const string Path = "/sign-out";

    public static void MapSignOut(this IEndpointRouteBuilder app) =>
        app.MapPost(Path, async (HttpContext context, Sessions sessions, [FromForm] string? _) =>
        {
            await sessions.End(context.User, context.RequestAborted);
            await context.SignOutAsync(AccountPrincipal.DashboardScheme);
            return Results.Redirect("/sign-in");
        }).AllowAnonymous().ExcludeFromDescription();
}
