using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Workflows.Servers;

public static class ServersRegistration
{
    public static IServiceCollection AddServers(this IServiceCollection services) =>
        services.AddSingleton<Servers>().AddSingleton<ServerOverview>().AddSingleton<ServerRemoval>();
}
