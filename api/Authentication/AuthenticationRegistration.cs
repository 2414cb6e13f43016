using ManagedServers.Api.Hosting;
using ManagedServers.Workflows.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace ManagedServers.Api.Authentication;

internal static class AuthenticationRegistration
{
    // All other pages send people to the sign-in.
    private static readonly string[] ForPrograms = ["/api", "/openapi", FleetMetrics.Path];

    public static IServiceCollection AddSignIn(this IServiceCollection services)
    {
        services.AddSingleton<FailedSignIns>();
        services.AddAuthentication(options =>
            {
                options.DefaultScheme = "by-path";
                options.DefaultSignInScheme = AccountPrincipal.DashboardScheme;
            })
            .AddPolicyScheme("by-path", null, options =>
                options.ForwardDefaultSelector = context => ForPrograms.Any(path => context.Request.Path.StartsWithSegments(path)) ? AccountPrincipal.ApiScheme : AccountPrincipal.DashboardScheme)
            .AddScheme<AuthenticationSchemeOptions, ApiAuthentication>(AccountPrincipal.ApiScheme, null)
            .AddCookie(AccountPrincipal.DashboardScheme, options =>
            {
                options.LoginPath = "/sign-in";
                options.AccessDeniedPath = "/access-denied";
                options.Cookie.Name = "managed-servers";
                options.Cookie.SameSite = SameSiteMode.Strict;
                options.Cookie.SecurePolicy = CookieSecurePolicy.Always;
                options.ExpireTimeSpan = TimeSpan.FromHours(8);
                options.SlidingExpiration = true;
                // Within this product, whatever name the request called it by.
                options.Events.OnRedirectToLogin = context => Redirect(context);
                options.Events.OnRedirectToAccessDenied = context => Redirect(context);
                options.Events.OnValidatePrincipal = async context =>
                {
                    var sessions = context.HttpContext.RequestServices.GetRequiredService<Sessions>();
                    if (await sessions.Account(context.Principal, context.HttpContext.RequestAborted) is not { } account)
                    {
                        context.RejectPrincipal();
                        return;
                    }

                    // Groups as they are now, not as they were at the sign-in.
                    context.ReplacePrincipal(AccountPrincipal.Of(account, AccountPrincipal.DashboardScheme, context.Principal!.Session()));
                };
            });
        return services;
    }

    private static Task Redirect(RedirectContext<CookieAuthenticationOptions> context)
    {
        context.Response.Redirect(new Uri(context.RedirectUri).PathAndQuery);
        return Task.CompletedTask;
    }
}
