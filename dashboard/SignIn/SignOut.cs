using ManagedServers.Workflows.Access;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace ManagedServers.Dashboard.SignIn;

internal static class SignOut
{
    public const string Path = "/sign-out";

    public static void MapSignOut(this IEndpointRouteBuilder app) =>
        app.MapPost(Path, async (HttpContext context, Sessions sessions, IAntiforgery antiforgery) =>
        {
            // The page of a sign-in that was ended elsewhere meanwhile, and perhaps begun anew: that one goes on, and whoever looks at it may end it there.
            if (!await antiforgery.IsRequestValidAsync(context))
            {
                return Results.Redirect("/");
            }

            await sessions.End(context.User, context.RequestAborted);
            await context.SignOutAsync(AccountPrincipal.DashboardScheme);
            return Results.Redirect("/sign-in");
        }).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription();
}
