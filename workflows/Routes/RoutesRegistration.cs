using ManagedServers.Workflows.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Workflows.Routes;

public static class RoutesRegistration
{
    public static IServiceCollection AddRoutes(this IServiceCollection services) => services.AddSingleton<SshRoutes>()
        .AddSingleton(new StoredSecrets(SshRoutes.Purpose, "select id, credential, xmin from servers.route_hop"));
}
