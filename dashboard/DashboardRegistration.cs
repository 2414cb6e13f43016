using ManagedServers.Dashboard.Access;
using ManagedServers.Dashboard.SignIn;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor.Services;

namespace ManagedServers.Dashboard;

public static class DashboardRegistration
{
    // A pasted zone file comes as one message; an install takes zone files of up to 8 MiB.
    private const long LargestInput = 9 * 1024 * 1024;

    /// <summary>The pages and what they need. The host registers the cookie scheme, the rights as policies, and the features themselves.</summary>
    public static IServiceCollection AddDashboard(this IServiceCollection services)
    {
        // A page that the product has forgotten is loaded anew, with what stood in its form (drafts.js): one that is resumed would begin with an empty form.
        services.AddRazorComponents().AddInteractiveServerComponents(circuits => circuits.PersistedCircuitInMemoryMaxRetained = 0).AddHubOptions(hub => hub.MaximumReceiveMessageSize = LargestInput);
        services.AddCascadingAuthenticationState();
        services.AddScoped<AuthenticationStateProvider, AccountStateProvider>();
        services.AddScoped<Actor>();
        services.AddSingleton<SignInAttempts>();
        services.AddAntiforgery(options =>
        {
            options.Cookie.Name = "managed-servers-antiforgery";
            options.Cookie.SecurePolicy = CookieSecurePolicy.Always;
            options.Cookie.SameSite = SameSiteMode.Strict;
        });
        services.AddMudServices();
        return services;
    }
}
