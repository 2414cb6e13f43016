using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace ManagedServers.Workflows.Access;

public static class AccessRegistration
{
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddMemoryCache();
        services.AddSingleton<Accounts>();
        services.AddSingleton<RememberedTokens>().AddHostedService(s => s.GetRequiredService<RememberedTokens>());
        services.AddSingleton(s => new Tokens(s.GetRequiredService<NpgsqlDataSource>(), s.GetRequiredService<RememberedTokens>(), s.GetRequiredService<TimeProvider>()));
        services.AddSingleton<Sessions>();
        services.AddSingleton<RequestKeys>();

        // What names no right is for nobody.
        var authorization = services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAssertion(_ => false).Build());
        foreach (var right in Enum.GetValues<Right>())
        {
            authorization.AddPolicy(right.ToString(), policy => policy.RequireAssertion(context => context.User.Allows(right)));
        }

        return services;
    }
}
