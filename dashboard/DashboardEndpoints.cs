using ManagedServers.Dashboard.Access;
using ManagedServers.Dashboard.Runs;
using ManagedServers.Dashboard.Shell;
using ManagedServers.Dashboard.SignIn;
using ManagedServers.Engine;
using ManagedServers.Workflows.Access;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace ManagedServers.Dashboard;

public static class DashboardEndpoints
{
    /// <summary>Before authentication: what a foreign page asks of the circuits is refused, whoever is signed in.</summary>
    public static void UseOwnOrigin(this IApplicationBuilder app) => app.UseMiddleware<OwnOrigin>();

    /// <summary>Maps pages, circuits and files. Needs the middleware of authentication, authorization and antiforgery before it.</summary>
    public static void MapDashboard(this IEndpointRouteBuilder app)
    {
        app.MapStaticAssets().AllowAnonymous();

        // Pages name their right themselves. What belongs to no page, such as the circuits' hub, gets this one.
        var signedIn = new AuthorizationPolicyBuilder(AccountPrincipal.DashboardScheme)
            .RequireAssertion(context => context.User.Allows(Right.Read))
            .Build();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode().RequireAuthorization(signedIn);
        app.MapSignOut();
        app.MapLogText().RequireAuthorization(signedIn);
        app.MapEngineJobs("/hangfire", new JobPagesOptions
        {
            Actor = context => context.User.Allows(Right.Operate) ? context.User.Identity!.Name : null,
            RunPage = run => $"/runs/{run}",
        }).RequireAuthorization(signedIn);
    }
}
